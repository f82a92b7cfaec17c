// Records for the store's tests.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/error.h"
#include "store/certificate_record.h"
#include "store/certificate_store.h"

namespace store_test {

using hsmsigner::store::CertificateRecord;
using hsmsigner::store::CertificateStore;
using hsmsigner::store::Container;
using hsmsigner::store::ContainerKind;

// Every field is set, each to something else.
CertificateRecord sample_record(const std::string& name, const Container& container = {ContainerKind::folder, "My"});

hsmsigner::Deadline soon();

void insert(CertificateStore& store, const CertificateRecord& record);

// What was thrown; nothing when nothing was.
std::optional<hsmsigner::Error> error_of(const std::function<void()>& action);
std::optional<hsmsigner::ErrorKind> kind_of(const std::function<void()>& action);

}  // namespace store_test

// Records for the store's tests.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/error.h"
#include "store/certificate_record.h"
#include "store/store.h"

namespace store_test {

using hsmsigner::Container;
using hsmsigner::ContainerKind;
using hsmsigner::ContainerScope;
using hsmsigner::store::AccountRecord;
using hsmsigner::store::AnswerRecord;
using hsmsigner::store::CertificateRecord;
using hsmsigner::store::CertificateStore;
using hsmsigner::store::Store;

// Every field is set, each to something else.
CertificateRecord sample_record(const std::string& name, const Container& container = {ContainerKind::folder, "My"});

hsmsigner::Deadline soon();

// A signing request whose certificate has not come yet.
CertificateRecord pending_record(const std::string& name, const Container& container = {ContainerKind::folder, "My"});

// Every field is set, each to something else; both secrets are there.
AccountRecord sample_account(const std::string& client_id);

AnswerRecord sample_answer(const std::string& client_id, const std::string& key_hash);

void insert(Store& store, const CertificateRecord& record);
void insert(CertificateStore& store, const CertificateRecord& record);

// What was thrown; nothing when nothing was.
std::optional<hsmsigner::Error> error_of(const std::function<void()>& action);
std::optional<hsmsigner::ErrorKind> kind_of(const std::function<void()>& action);

}  // namespace store_test

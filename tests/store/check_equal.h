// Records compared field by field, each field a check of the test that asks.
#pragma once

#include "sample_record.h"

namespace store_test {

void check_equal(const CertificateRecord& a, const CertificateRecord& b);
void check_equal(const AccountRecord& a, const AccountRecord& b);

}  // namespace store_test

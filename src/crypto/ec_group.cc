#include "crypto/ec_group.h"

#include <openssl/objects.h>

#include <map>
#include <string>

namespace hsmsigner::crypto {
namespace {

using Groups = std::map<KeyAlgorithm, const EC_GROUP*>;

const Groups* make_groups() {
  auto groups = std::make_unique<Groups>();
  for (const KeyAlgorithmInfo& row : key_algorithms()) {
    if (row.family != KeyFamily::ec) continue;
    (*groups)[row.algorithm] = require_pointer(EC_GROUP_new_by_curve_name(OBJ_sn2nid(std::string(row.openssl).c_str())),
                                               "EC_GROUP_new_by_curve_name");
  }
  return groups.release();
}

}  // namespace

const EC_GROUP* group_of(KeyAlgorithm curve) {
  // Not freed: a destructor at exit would race with threads that still use it and with OpenSSL's own clean-up.
  static const Groups* const groups = make_groups();
  const auto found = groups->find(curve);
  if (found == groups->end()) throw Error(ErrorKind::internal_error).with_cause("not a curve");
  return found->second;
}

EcPointPtr new_point(KeyAlgorithm curve) {
  return require_pointer(EcPointPtr(EC_POINT_new(group_of(curve))), "EC_POINT_new");
}

bool is_point_of_curve(const EcPublicKey& key) {
  const CleanErrorQueue clean;
  const EC_GROUP* group = group_of(key.curve);
  if (key.point.empty() || key.point.front() != POINT_CONVERSION_UNCOMPRESSED) return false;
  const EcPointPtr point = new_point(key.curve);
  return EC_POINT_oct2point(group, point.get(), key.point.data(), key.point.size(), nullptr) == 1 &&
         EC_POINT_is_at_infinity(group, point.get()) == 0;
}

}  // namespace hsmsigner::crypto

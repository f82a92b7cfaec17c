#include <openssl/pkcs7.h>

#include <string>
#include <string_view>

#include "pki/certificate_file.h"
#include "pki/certificate_impl.h"
#include "pki/library_context.h"
#include "pki/password_encryption.h"
#include "pki/pkcs12.h"
#include "pki/private_key_file.h"

namespace hsmsigner::pki {
namespace {

// friendlyName is a BMPString (RFC 2985 5.5.1): what lies beyond the first plane becomes U+FFFD. `name` is UTF-8, in
// which that is four octets, and nothing else begins with 0xf0 or more (RFC 3629 3).
std::string within_first_plane(std::string_view name) {
  std::string result;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (static_cast<unsigned char>(name[i]) < 0xf0) {
      result += name[i];
    } else {
      result += "\xef\xbf\xbd";
      i += 3;
    }
  }
  return result;
}

// friendlyName and localKeyId (RFC 2985 5.5.1, 5.5.2) are by what readers find the key that goes with a certificate.
void add_attributes(PKCS12_SAFEBAG* bag, const std::string& friendly_name, Bytes key_id) {
  if (!friendly_name.empty()) {
    require(PKCS12_add_friendlyname_utf8(bag, friendly_name.data(), static_cast<int>(friendly_name.size())),
            "friendlyName");
  }
  require(PKCS12_add_localkeyid(bag, key_id.data(), static_cast<int>(key_id.size())), "localKeyId");
}

SafeBagsPtr only(SafeBagPtr bag) {
  SafeBagsPtr bags = require_pointer(SafeBagsPtr(sk_PKCS12_SAFEBAG_new_null()), "sk_PKCS12_SAFEBAG_new_null");
  if (sk_PKCS12_SAFEBAG_push(bags.get(), bag.get()) <= 0) throw_openssl("sk_PKCS12_SAFEBAG_push");
  bag.release();
  return bags;
}

Pkcs7Ptr certificate_safe(const Certificate& certificate, const std::string& friendly_name, const Bytes& key_id,
                          std::string_view passphrase) {
  SafeBagPtr bag(PKCS12_SAFEBAG_create_cert(certificate.impl().with_key()));
  require_pointer(bag.get(), "PKCS12_SAFEBAG_create_cert");
  add_attributes(bag.get(), friendly_name, key_id);
  const SafeBagsPtr bags = only(std::move(bag));
  Bytes salt = random_octets(kSaltOctets);
  // A cipher instead of a PBE algorithm means PBES2, whose pseudo-random function is then HMAC-SHA-256.
  return require_pointer(Pkcs7Ptr(PKCS12_pack_p7encdata_ex(NID_aes_256_cbc, data_of(passphrase), size_of(passphrase),
                                                           salt.data(), static_cast<int>(salt.size()), kPbkdf2Rounds,
                                                           bags.get(), file_library_context(), nullptr)),
                         "PKCS12_pack_p7encdata_ex");
}

Pkcs7Ptr key_safe(ByteView pkcs8, const std::string& friendly_name, const Bytes& key_id, std::string_view passphrase) {
  const Bytes encrypted = encrypt_private_key_info(pkcs8, passphrase);
  const unsigned char* begin = encrypted.data();
  EncryptedInfoPtr info(d2i_X509_SIG(nullptr, &begin, static_cast<long>(encrypted.size())));
  require_pointer(info.get(), "d2i_X509_SIG");
  SafeBagPtr bag(PKCS12_SAFEBAG_create0_pkcs8(info.get()));
  require_pointer(bag.get(), "PKCS12_SAFEBAG_create0_pkcs8");
  info.release();  // now owned by the bag
  add_attributes(bag.get(), friendly_name, key_id);
  const SafeBagsPtr bags = only(std::move(bag));
  return require_pointer(Pkcs7Ptr(PKCS12_pack_p7data(bags.get())), "PKCS12_pack_p7data");
}

void push(STACK_OF(PKCS7) * safes, Pkcs7Ptr safe) {
  if (sk_PKCS7_push(safes, safe.get()) <= 0) throw_openssl("sk_PKCS7_push");
  safe.release();
}

}  // namespace

Bytes make_pkcs12(const Certificate& certificate, const Secret& pkcs8, const std::string& friendly_name,
                  const Secret& passphrase) {
  const CleanErrorQueue clean;
  const std::string shown_name = within_first_plane(friendly_name);
  const std::string_view secret = passphrase.view();
  const Bytes key_id = hash(Digest::sha1, certificate.impl().der());
  const SafesPtr safes = require_pointer(SafesPtr(sk_PKCS7_new_null()), "sk_PKCS7_new_null");
  push(safes.get(), certificate_safe(certificate, shown_name, key_id, secret));
  push(safes.get(), key_safe(pkcs8.bytes(), shown_name, key_id, secret));
  const Pkcs12Ptr pkcs12(PKCS12_add_safes_ex(safes.get(), 0, file_library_context(), nullptr));
  require_pointer(pkcs12.get(), "PKCS12_add_safes_ex");
  Bytes salt = random_octets(kSaltOctets);
  require(PKCS12_set_mac(pkcs12.get(), data_of(secret), size_of(secret), salt.data(), static_cast<int>(salt.size()),
                         kPbkdf2Rounds, EVP_sha256()),
          "PKCS12_set_mac");
  return i2d([&](unsigned char** out) { return i2d_PKCS12(pkcs12.get(), out); });
}

}  // namespace hsmsigner::pki

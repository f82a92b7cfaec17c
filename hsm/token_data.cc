// What a token keeps and tells beside keys: data objects, and its memory.
#include <algorithm>
#include <array>

#include "hsm/ck_result.h"
#include "hsm/key_template.h"
#include "hsm/object_search.h"
#include "hsm/token_impl.h"

namespace hsmsigner::hsm {
namespace {

constexpr std::string_view kApplication = "hsm-signer";
constexpr std::size_t kMostData = 64;  // objects of one label; a token that has more is not used as this program does
constexpr std::size_t kRoom = 4096;    // of a value

Template data_query(const std::string& label) {
  Template query;
  query.add(CKA_CLASS, CK_ULONG{CKO_DATA}).add(CKA_LABEL, label);
  return query;
}

Template data_template(const std::string& label, const Bytes& value) {
  Template object = data_query(label);
  object.add(CKA_TOKEN, true)
      .add(CKA_PRIVATE, true)
      .add(CKA_MODIFIABLE, false)
      .add(CKA_APPLICATION, kApplication)
      .add(CKA_VALUE, ByteView(value));
  return object;
}

std::vector<CK_OBJECT_HANDLE> find_data(Session& session, const std::string& label) {
  ObjectSearch search(session, data_query(label));
  std::array<CK_OBJECT_HANDLE, kMostData> handles{};
  std::vector<CK_OBJECT_HANDLE> all;
  while (const std::size_t count = search.next(handles)) {
    all.insert(all.end(), handles.begin(), handles.begin() + static_cast<std::ptrdiff_t>(count));
    if (all.size() > kMostData) throw Error(ErrorKind::internal_error).with_cause("too many data objects of one label");
  }
  if (all.empty()) require_login(session);
  return all;
}

Bytes read_value(Session& session, CK_OBJECT_HANDLE object) {
  Bytes value(kRoom);
  CK_ATTRIBUTE attribute{CKA_VALUE, value.data(), value.size()};
  check("C_GetAttributeValue", session.ck().C_GetAttributeValue(session.handle(), object, &attribute, 1));
  if (attribute.ulValueLen > kRoom) throw Error(ErrorKind::internal_error).with_cause("a data object without a value");
  value.resize(attribute.ulValueLen);
  return value;
}

// CK_TOKEN_INFO: all ones is CK_UNAVAILABLE_INFORMATION; openCryptoki says all ones but one.
bool told(CK_ULONG memory) { return memory < CK_UNAVAILABLE_INFORMATION - 1; }

}  // namespace

std::vector<Bytes> Token::data(const std::string& label, Deadline deadline) {
  return impl_->pool().run(JobKind::quick, deadline, [label](Session& session) {
    std::vector<Bytes> values;
    for (const CK_OBJECT_HANDLE object : find_data(session, label)) values.push_back(read_value(session, object));
    return values;
  });
}

void Token::put_data(const std::string& label, const Bytes& value, const std::vector<Bytes>& instead_of,
                     Deadline deadline) {
  impl_->pool().run(JobKind::generation, deadline, [label, value, instead_of](Session& session) {
    const std::vector<CK_OBJECT_HANDLE> before = find_data(session, label);
    Template object = data_template(label, value);
    CK_OBJECT_HANDLE made = CK_INVALID_HANDLE;
    {
      const ObjectGate::Making making(session.gate(), session.deadline());
      check("C_CreateObject", session.ck().C_CreateObject(session.handle(), object.data(), object.size(), &made));
    }
    for (const CK_OBJECT_HANDLE old : before) {
      const Bytes held = read_value(session, old);
      if (std::ranges::find(instead_of, held) == instead_of.end()) continue;
      check("C_DestroyObject", session.ck().C_DestroyObject(session.handle(), old));
    }
    return true;
  });
}

std::optional<FreeMemory> Token::free_memory(Deadline deadline) {
  return impl_->pool().run(JobKind::quick, deadline, [](Session& session) -> std::optional<FreeMemory> {
    CK_SESSION_INFO here{};
    check("C_GetSessionInfo", session.ck().C_GetSessionInfo(session.handle(), &here));
    CK_TOKEN_INFO token{};
    check("C_GetTokenInfo", session.ck().C_GetTokenInfo(here.slotID, &token));
    if (!told(token.ulFreePrivateMemory) || !told(token.ulTotalPrivateMemory)) return std::nullopt;
    if (token.ulTotalPrivateMemory == 0) return std::nullopt;
    return FreeMemory{token.ulFreePrivateMemory, token.ulTotalPrivateMemory};
  });
}

}  // namespace hsmsigner::hsm

#include "hsm/ck_result.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace hsmsigner::hsm {
namespace {

struct ResultRow {
  CK_RV rv;
  const char* name;
  CkClass meaning = CkClass::other;
  bool unchanged = false;
};

// Stringising is what the preprocessor is for: no name can differ from its value.
#define ROW(name, ...) \
  ResultRow { name, #name, __VA_ARGS__ }

// PKCS#11 2.40 section 5.1. In no order: looked at only when something went wrong.
constexpr std::array kResults = {
    ROW(CKR_OK, CkClass::other),
    ROW(CKR_CANCEL, CkClass::other),
    ROW(CKR_HOST_MEMORY, CkClass::other),
    ROW(CKR_SLOT_ID_INVALID, CkClass::session_lost, true),
    ROW(CKR_GENERAL_ERROR, CkClass::session_lost),
    ROW(CKR_FUNCTION_FAILED, CkClass::other),
    ROW(CKR_ARGUMENTS_BAD, CkClass::other, true),
    ROW(CKR_NO_EVENT, CkClass::other, true),
    ROW(CKR_NEED_TO_CREATE_THREADS, CkClass::other, true),
    ROW(CKR_CANT_LOCK, CkClass::other, true),
    ROW(CKR_ATTRIBUTE_READ_ONLY, CkClass::other, true),
    ROW(CKR_ATTRIBUTE_SENSITIVE, CkClass::other, true),
    ROW(CKR_ATTRIBUTE_TYPE_INVALID, CkClass::other, true),
    ROW(CKR_ATTRIBUTE_VALUE_INVALID, CkClass::other, true),
    ROW(CKR_ACTION_PROHIBITED, CkClass::other, true),
    ROW(CKR_DATA_INVALID, CkClass::other, true),
    ROW(CKR_DATA_LEN_RANGE, CkClass::other, true),
    ROW(CKR_DEVICE_ERROR, CkClass::session_lost),
    ROW(CKR_DEVICE_MEMORY, CkClass::full),
    ROW(CKR_DEVICE_REMOVED, CkClass::session_lost),
    ROW(CKR_ENCRYPTED_DATA_INVALID, CkClass::other, true),
    ROW(CKR_ENCRYPTED_DATA_LEN_RANGE, CkClass::other, true),
    ROW(CKR_FUNCTION_CANCELED, CkClass::other),
    ROW(CKR_FUNCTION_NOT_SUPPORTED, CkClass::other, true),
    ROW(CKR_KEY_HANDLE_INVALID, CkClass::stale_handle, true),
    ROW(CKR_KEY_SIZE_RANGE, CkClass::other, true),
    ROW(CKR_KEY_TYPE_INCONSISTENT, CkClass::other, true),
    ROW(CKR_KEY_NOT_NEEDED, CkClass::other, true),
    ROW(CKR_KEY_CHANGED, CkClass::other, true),
    ROW(CKR_KEY_NEEDED, CkClass::other, true),
    ROW(CKR_KEY_INDIGESTIBLE, CkClass::other, true),
    ROW(CKR_KEY_FUNCTION_NOT_PERMITTED, CkClass::other, true),
    ROW(CKR_KEY_NOT_WRAPPABLE, CkClass::other, true),
    ROW(CKR_KEY_UNEXTRACTABLE, CkClass::other, true),
    ROW(CKR_MECHANISM_INVALID, CkClass::other, true),
    ROW(CKR_MECHANISM_PARAM_INVALID, CkClass::other, true),
    ROW(CKR_OBJECT_HANDLE_INVALID, CkClass::stale_handle, true),
    ROW(CKR_OPERATION_ACTIVE, CkClass::stale_operation, true),
    ROW(CKR_OPERATION_NOT_INITIALIZED, CkClass::stale_operation, true),
    ROW(CKR_PIN_INCORRECT, CkClass::pin, true),
    ROW(CKR_PIN_INVALID, CkClass::pin, true),
    ROW(CKR_PIN_LEN_RANGE, CkClass::pin, true),
    ROW(CKR_PIN_EXPIRED, CkClass::pin, true),
    ROW(CKR_PIN_LOCKED, CkClass::pin, true),
    ROW(CKR_PIN_TOO_WEAK, CkClass::pin, true),
    ROW(CKR_USER_PIN_NOT_INITIALIZED, CkClass::pin, true),
    ROW(CKR_SESSION_CLOSED, CkClass::session_lost),
    ROW(CKR_SESSION_COUNT, CkClass::session_count, true),
    ROW(CKR_SESSION_HANDLE_INVALID, CkClass::session_lost, true),
    ROW(CKR_SESSION_PARALLEL_NOT_SUPPORTED, CkClass::other, true),
    ROW(CKR_SESSION_READ_ONLY, CkClass::other, true),
    ROW(CKR_SESSION_EXISTS, CkClass::other, true),
    ROW(CKR_SESSION_READ_ONLY_EXISTS, CkClass::other, true),
    ROW(CKR_SESSION_READ_WRITE_SO_EXISTS, CkClass::other, true),
    ROW(CKR_SIGNATURE_INVALID, CkClass::other, true),
    ROW(CKR_SIGNATURE_LEN_RANGE, CkClass::other, true),
    ROW(CKR_TEMPLATE_INCOMPLETE, CkClass::other, true),
    ROW(CKR_TEMPLATE_INCONSISTENT, CkClass::other, true),
    ROW(CKR_TOKEN_NOT_PRESENT, CkClass::session_lost, true),
    ROW(CKR_TOKEN_NOT_RECOGNIZED, CkClass::session_lost, true),
    ROW(CKR_TOKEN_WRITE_PROTECTED, CkClass::other, true),
    ROW(CKR_UNWRAPPING_KEY_HANDLE_INVALID, CkClass::stale_handle, true),
    ROW(CKR_UNWRAPPING_KEY_SIZE_RANGE, CkClass::other, true),
    ROW(CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT, CkClass::other, true),
    ROW(CKR_USER_ALREADY_LOGGED_IN, CkClass::other, true),
    ROW(CKR_USER_NOT_LOGGED_IN, CkClass::session_lost, true),
    ROW(CKR_USER_TYPE_INVALID, CkClass::other, true),
    ROW(CKR_USER_ANOTHER_ALREADY_LOGGED_IN, CkClass::other, true),
    ROW(CKR_USER_TOO_MANY_TYPES, CkClass::other, true),
    ROW(CKR_WRAPPED_KEY_INVALID, CkClass::other, true),
    ROW(CKR_WRAPPED_KEY_LEN_RANGE, CkClass::other, true),
    ROW(CKR_WRAPPING_KEY_HANDLE_INVALID, CkClass::stale_handle, true),
    ROW(CKR_WRAPPING_KEY_SIZE_RANGE, CkClass::other, true),
    ROW(CKR_WRAPPING_KEY_TYPE_INCONSISTENT, CkClass::other, true),
    ROW(CKR_RANDOM_SEED_NOT_SUPPORTED, CkClass::other, true),
    ROW(CKR_RANDOM_NO_RNG, CkClass::other, true),
    ROW(CKR_DOMAIN_PARAMS_INVALID, CkClass::other, true),
    ROW(CKR_CURVE_NOT_SUPPORTED, CkClass::other, true),
    ROW(CKR_BUFFER_TOO_SMALL, CkClass::other, true),
    ROW(CKR_CRYPTOKI_NOT_INITIALIZED, CkClass::session_lost, true),
    ROW(CKR_CRYPTOKI_ALREADY_INITIALIZED, CkClass::other, true),
    ROW(CKR_MUTEX_BAD, CkClass::other, true),
    ROW(CKR_MUTEX_NOT_LOCKED, CkClass::other, true),
    ROW(CKR_FUNCTION_REJECTED, CkClass::other),
};
#undef ROW

const ResultRow* find(CK_RV rv) noexcept {
  const auto* row = std::ranges::find(kResults, rv, &ResultRow::rv);
  return row == kResults.end() ? nullptr : row;
}

struct ClassRow {
  CkClass meaning;
  ErrorKind kind;
  const char* sentence;
  const char* help;
};

// What is said in public, one row per class.
constexpr std::array kClasses = {
    ClassRow{CkClass::session_lost, ErrorKind::token_unavailable, "the token does not answer as it should",
             "Try again; if it stays so, check the token and its connection."},
    ClassRow{CkClass::stale_operation, ErrorKind::token_unavailable, "the token's session was busy", "Try again."},
    ClassRow{CkClass::stale_handle, ErrorKind::token_unavailable, "the key was not where the token said it was",
             "Try again."},
    ClassRow{CkClass::pin, ErrorKind::token_unavailable, "the token refused the PIN",
             "It is not sent again: correct the PIN and restart."},
    ClassRow{CkClass::full, ErrorKind::token_unavailable, "the token is full",
             "Delete certificates that are no longer needed, or enlarge the token."},
    ClassRow{CkClass::session_count, ErrorKind::token_unavailable, "the token gives no further session",
             "Other programs may hold its sessions; lower the number of sessions in the configuration."},
    ClassRow{CkClass::other, ErrorKind::internal_error, "the token refused the operation", ""},
};

}  // namespace

std::string ck_name(CK_RV rv) {
  if (const ResultRow* row = find(rv)) return row->name;
  char text[32];
  std::snprintf(text, sizeof text, "CKR 0x%lx", rv);
  return text;
}

CkClass ck_class(CK_RV rv) noexcept {
  const ResultRow* row = find(rv);
  return row == nullptr ? CkClass::other : row->meaning;
}

bool changed_nothing(CK_RV rv) noexcept {
  const ResultRow* row = find(rv);
  return row != nullptr && row->unchanged;
}

Error to_error(const CkFailure& failure, SourcePlace where) {
  const auto* row = std::ranges::find(kClasses, ck_class(failure.rv()), &ClassRow::meaning);
  Error error(row->kind, {row->sentence}, where);
  if (*row->help != '\0') error.with_help(row->help);
  error.with_cause(std::string(failure.function()) + ": " + ck_name(failure.rv()));
  return error;
}

}  // namespace hsmsigner::hsm

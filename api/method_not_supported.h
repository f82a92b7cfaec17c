// The error that knows what the header Allow says of it.
#pragma once

#include <string>
#include <utility>

#include "base/error.h"

namespace hsmsigner::api {

// Error{method_not_allowed}.
class MethodNotSupported : public Error {
 public:
  // `method` as it may be shown.
  MethodNotSupported(const std::string& method, std::string allow)
      : Error(ErrorKind::method_not_allowed, {method + " is not a method of this resource; it has " + allow}),
        allow_(std::move(allow)) {}
  const std::string& allow() const noexcept { return allow_; }

 private:
  std::string allow_;
};

}  // namespace hsmsigner::api

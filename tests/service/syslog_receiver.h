// The other end of a syslog connection, on real sockets.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/file_descriptor.h"

namespace service_test {

// UDP on 127.0.0.1, or a socket in the file system.
class DatagramReceiver {
 public:
  // Port 0: any free one.
  explicit DatagramReceiver(std::uint16_t port = 0);
  explicit DatagramReceiver(const std::string& path);
  std::uint16_t port() const { return port_; }
  // The next one; "" when none comes in time.
  std::string next(int milliseconds = 20'000) const;

 private:
  hsmsigner::FileDescriptor socket_;
  std::uint16_t port_ = 0;
};

// TCP on 127.0.0.1; one connection at a time.
class StreamReceiver {
 public:
  // `window`: octets that the kernel takes while nobody reads; 0: as usual.
  explicit StreamReceiver(std::uint16_t port = 0, int window = 0);
  std::uint16_t port() const { return port_; }
  // Waits for a connection; false when none comes.
  bool accept(int milliseconds = 20'000);
  // The next message by octet counting (RFC 6587 3.4.1); "" when none comes in time, the connection ends, or the frame
  // is none.
  std::string next(int milliseconds = 20'000);
  // Closes the connection, reset when there are octets nobody has read.
  void hang_up();

 private:
  bool fill(int milliseconds);
  hsmsigner::FileDescriptor listener_;
  hsmsigner::FileDescriptor connection_{-1};
  std::uint16_t port_ = 0;
  std::string buffer_;
};

// What stands in a message, taken apart as RFC 5424 says; `fault` tells why it is none.
struct ReceivedMessage {
  int priority = 0;
  std::string time, host, application, process, kind, sequence, hash, text;
  std::string fault;
};
ReceivedMessage parse_message(const std::string& message);

}  // namespace service_test

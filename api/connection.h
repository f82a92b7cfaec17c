// One connection, over TCP or TLS: waits with deadlines, reads a request's head whole, and is what cpp-httplib reads
// the body from and writes the answer to.
#pragma once

#include <httplib.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "api/request_head.h"
#include "api/wiped_buffer.h"
#include "base/clock.h"
#include "base/transport.h"

namespace hsmsigner::api {

// The connections that wait for a request. Thread safe.
class IdleConnections {
 public:
  // False when end_all() was called: the connection is to be closed.
  bool add(int socket);
  void remove(int socket);
  // Ends the one that has waited longest, so that its thread is free.
  void end_oldest();
  // Ends those that wait now.
  void end_present();
  // Ends all, and every one added from now on.
  void end_all();

 private:
  void end_sockets();

  std::mutex mutex_;
  bool ended_ = false;
  std::list<int> sockets_;  // oldest first; open as long as they are in here
};

// Waits for a new connection's first octet, as one of the idle ones. False when none came in time or it was ended.
// `patience` is asked as by Connection::read_head.
bool wait_for_first_octet(int socket, IdleConnections& idle,
                          const std::function<std::chrono::milliseconds()>& patience);

struct ConnectionLimits {
  std::chrono::milliseconds read_timeout;   // for a whole head; again for a whole body
  std::chrono::milliseconds write_timeout;  // for a whole answer, and a second more for each 256 KiB of it
  std::size_t max_body_bytes;
  bool tls;
};

// Used by one thread.
class Connection : public httplib::Stream {
 public:
  Connection(std::unique_ptr<Transport> transport, const ConnectionLimits& limits, IdleConnections& idle)
      : transport_(std::move(transport)), limits_(limits), idle_(idle) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Waits for the next request. False when none came: the peer closed, time is up, or the server stops. Throws
  // Error{malformed_command} when what came is no request's head. `patience`, how long to wait for its first octet, is
  // asked once this connection can be ended as an idle one: who comes later and needs its thread will do that.
  bool read_head(RequestHead& head, const std::function<std::chrono::milliseconds()>& patience);
  // Starts the exchange: cpp-httplib reads `head_text` from this stream, then the body that `head` announces.
  void begin_exchange(std::string head_text, const RequestHead& head);
  // Whether the body has been read to its end, so that what follows is the next request. A chunked body is never sure
  // to be: how two readers see its end may differ.
  bool body_is_read() const { return !chunked_ && body_left_ == 0; }
  // For a chunked body that cpp-httplib took: whether it ended in the last chunk, which cpp-httplib does not check.
  bool ended_in_last_chunk() const { return chunk_tail_ == "\r\n0\r\n\r\n" || chunk_tail_ == "0\r\n\r\n"; }
  // Sends what was written. False when the peer does not take it.
  bool flush();
  // Lets the peer read the answer although it is still sending: closing at once would reset the connection and
  // destroy the answer in its hands.
  void close_lingering();

  // httplib::Stream
  bool is_readable() const override { return true; }
  bool is_writable() const override { return !broken_; }
  ssize_t read(char* data, std::size_t size) override;
  ssize_t write(const char* data, std::size_t size) override;
  using httplib::Stream::write;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  // Not the descriptor: cpp-httplib refuses those above FD_SETSIZE for its select(), which is not used here.
  socket_t socket() const override { return 0; }

 private:
  // As Transport::receive(); what came is appended to received_.
  ssize_t receive_more(Deadline deadline);
  bool send_all(std::string_view data);
  ssize_t read_body(char* data, std::size_t size);

  const std::unique_ptr<Transport> transport_;
  const ConnectionLimits& limits_;
  IdleConnections& idle_;
  WipedBuffer received_;  // from the transport, not yet used
  std::string head_text_;
  std::size_t head_read_ = 0;
  bool chunked_ = false;
  std::uint64_t body_left_ = 0;
  bool continue_expected_ = false;
  bool body_started_ = false;
  Deadline body_deadline_;
  std::string chunk_tail_;  // the last octets of a chunked body
  WipedBuffer unsent_;
  bool broken_ = false;
};

}  // namespace hsmsigner::api

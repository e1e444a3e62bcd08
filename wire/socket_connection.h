// What frames over plain sockets have in common: how they are written.
//
// Writes are tried at once, with one sendmsg() for head and payload, and wait for the socket
// only when it is full. A small frame goes out from the stack: with a thousand connections,
// each block of memory that need not be touched counts. On one machine large payloads are
// memory files whose descriptors go along, and neither end copies them.
#pragma once

#include <sys/socket.h>

#include <boost/system/error_code.hpp>
#include <utility>

#include "wire/connection.h"

namespace tenkai {

class SocketConnection : public Connection {
 protected:
  SocketConnection(Peer peer, bool segmented) : Connection(std::move(peer), segmented) {}

  virtual int descriptor() = 0;
  // Calls write() when the socket takes more.
  virtual void wait_to_write() = 0;

  void write() override;
  bool write_at_once(const Frame& frame) override;
  void on_failed(const boost::system::error_code& failed);

 private:
  bool puts_files_in_line();
};

// Over a socket to another process of this machine. Takes the descriptor over.
ConnectionPtr make_local_connection(asio::any_io_executor executor, int descriptor, Peer peer);

}  // namespace tenkai

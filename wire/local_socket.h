// The names of local sockets, and who is at the other end of one.
#pragma once

#include <boost/asio/local/stream_protocol.hpp>
#include <optional>

#include "base/result.h"
#include "base/url.h"
#include "wire/connection.h"

namespace tenkai {

// Refused: a name that is longer than the system allows.
Result<asio::local::stream_protocol::endpoint> local_endpoint(const Url& url);

// Connects, or says why not, and never waits: try_again where as many wait there
// already as may. (Asio takes that for a connection that is on its way.)
boost::system::error_code connect_at_once(asio::local::stream_protocol::socket& socket, const Url& url);

// The kernel's word for who connected; refuses everybody but this user.
Result<Peer> local_peer(int descriptor);

// Settings of a TCP socket on which small frames travel and a silent death of
// the other host must be noticed by the kernel, without wake-ups of ours.
void tune_network_socket(int descriptor);

}  // namespace tenkai

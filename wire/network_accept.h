// What happens between accept() on a network port and a connection that can be
// greeted: TLS where the URL wants it, then the upgrade to a WebSocket.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <memory>

#include "wire/listener.h"
#include "wire/strangers.h"

namespace tenkai {

// A stranger that is too slow, or sends nonsense, is gone without a word to
// anybody; `door` must outlive the strangers.
void accept_network(asio::ip::tcp::socket socket, Peer peer, const Listener::Door& door,
                    Listener::OnAccept on_accept);

}  // namespace tenkai

// The server's half of a WebSocket's beginning.
#pragma once

#include <boost/asio/ip/tcp.hpp>

#include "wire/listener.h"

namespace tenkai {

// Reads the request and answers it. Calls on_accept when the upgrade is done; a
// request that is not one we serve gets its 4xx and is closed. Strangers have
// 10 seconds for it, and no more than 256 may be at it at once: the oldest one
// goes first.
void accept_websocket(asio::ip::tcp::socket socket, Peer peer, Listener::KnowsPath knows_path,
                      Listener::OnAccept on_accept);

}  // namespace tenkai

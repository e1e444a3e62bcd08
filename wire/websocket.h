// Frames over a WebSocket: binary messages that together are one byte stream; the
// borders of messages mean nothing. Beast does the protocol.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "base/url.h"
#include "wire/connection.h"
#include "wire/listener.h"
#include "wire/network_stream.h"

namespace tenkai {

// Reads the HTTP request with which a WebSocket begins and answers the upgrade. Whoever
// sends nonsense is gone without a word to `on_accept`.
void accept_websocket(NetworkStream stream, Peer peer, Listener::KnowsPath knows_path,
                      Listener::OnAccept on_accept);

// Asks for the upgrade; `on_done` is called once. What is returned gives up before.
std::function<void()> begin_websocket(NetworkStream stream, const Url& url, Peer peer,
                                      std::function<void(Result<ConnectionPtr>)> on_done);

}  // namespace tenkai

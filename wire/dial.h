// Connects to a listener.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <functional>
#include <memory>

#include "base/result.h"
#include "base/url.h"
#include "wire/connection.h"
#include "wire/tls.h"

namespace tenkai {

// Calls back once, from the event loop: with a connection that is ready to be
// started, or with why there is none, with its code ("6 | Connection refused: …"), naming
// the address that was tried. `tls` says how
// the listener of an encrypted URL is known; it is not needed for others. Reaching the
// other end, TLS, and the upgrade to a WebSocket may take `step_limit` each.
void dial(asio::any_io_executor executor, const Url& url, std::chrono::milliseconds step_limit,
          std::shared_ptr<const TlsDialler> tls, std::function<void(Result<ConnectionPtr>)> on_done);

}  // namespace tenkai

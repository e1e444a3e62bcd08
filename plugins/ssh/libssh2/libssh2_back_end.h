// All jobs on a host over one connection of libssh2.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>

#include "plugins/ssh/back_end.h"
#include "plugins/ssh/libssh2/login.h"

namespace tenkai {

std::unique_ptr<BackEnd> make_libssh2_back_end(asio::any_io_executor executor, Libssh2Host host,
                                               BackEnd::Events events);

}  // namespace tenkai

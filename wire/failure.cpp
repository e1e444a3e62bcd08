#include "wire/failure.h"

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <cerrno>

namespace tenkai {
namespace {

Code code_of(int number) {
  switch (number) {
    case EINTR: return Code::interrupted;
    case ENOMEM: return Code::out_of_memory;
    case EINVAL: return Code::invalid_argument;
    case ETIMEDOUT: return Code::timed_out;
    case ECONNREFUSED: return Code::refused;
    case EADDRINUSE: return Code::address_in_use;
    case ENOENT: return Code::not_found;
    case EHOSTUNREACH:
    case ENETUNREACH: return Code::unreachable;
    case EADDRNOTAVAIL: return Code::address_invalid;
    case EACCES:
    case EPERM: return Code::permission_denied;
    case ECONNABORTED: return Code::aborted;
    case ECONNRESET:
    case EPIPE: return Code::reset;
    case EMFILE:
    case ENFILE: return Code::out_of_files;
    default: return Code::none;
  }
}

}  // namespace

Error failure_of(const boost::system::error_code& failed) {
  bool is_system = failed.category() == boost::system::system_category();
  if (Code code = is_system ? code_of(failed.value()) : Code::none; code != Code::none)
    return {text_of(code), code};
  bool unknown_host = failed == boost::asio::error::host_not_found || failed == boost::asio::error::no_data ||
                      failed == boost::asio::error::host_not_found_try_again;
  if (unknown_host)
    return {text_of(Code::address_invalid) + " (the host name is not known here)", Code::address_invalid};
  return {failed.message()};
}

Error in_detail(Code code, const std::string& detail) { return {text_of(code) + detail, code}; }

bool is_hang_up(const boost::system::error_code& failed) {
  namespace error = boost::asio::error;
  return failed == error::eof || failed == boost::asio::ssl::error::stream_truncated ||
         failed == error::connection_reset || failed == error::broken_pipe;
}

}  // namespace tenkai

#include "wire/failure.h"

#include <boost/asio/error.hpp>
#include <cerrno>

namespace tenkai {

std::string failure_text(const boost::system::error_code& failed) {
  if (failed.category() == boost::system::system_category()) {
    switch (failed.value()) {
      case EINTR: return "1 | Interrupted";
      case ENOMEM: return "2 | Out of memory";
      case EINVAL: return "3 | Invalid argument";
      case ETIMEDOUT: return "5 | Timed out";
      case ECONNREFUSED: return "6 | Connection refused";
      case EADDRINUSE: return "10 | Address in use";
      case ENOENT: return "12 | Entry not found";
      case EHOSTUNREACH:
      case ENETUNREACH: return "14 | Destination unreachable";
      case EADDRNOTAVAIL: return "15 | Address invalid";
      case EACCES:
      case EPERM: return "16 | Permission denied";
      case ECONNABORTED: return "18 | Connection aborted";
      case ECONNRESET:
      case EPIPE: return "19 | Connection reset";
      case EMFILE:
      case ENFILE: return "21 | Out of files";
      default: return failed.message();
    }
  }
  bool unknown_host = failed == boost::asio::error::host_not_found || failed == boost::asio::error::no_data ||
                      failed == boost::asio::error::host_not_found_try_again;
  if (unknown_host) return "15 | Address invalid (the host name is not known here)";
  return failed.message();
}

}  // namespace tenkai

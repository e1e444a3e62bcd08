// The HTTP request with which a WebSocket begins: what is read of it, and what is
// asked of it.
#pragma once

#include <boost/beast/core/flat_static_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <functional>
#include <iterator>
#include <string_view>

namespace tenkai {

namespace http = boost::beast::http;

struct UpgradeRequest {
  static constexpr std::size_t max_head = 4096;
  static constexpr long max_fields = 32;

  UpgradeRequest() {
    parser.header_limit(max_head);
    parser.body_limit(0);
  }

  boost::beast::flat_static_buffer<max_head> buffer;
  http::request_parser<http::empty_body> parser;
};

// What is wrong with a request; http::status::ok: nothing. It must be a GET without
// Origin (a page in a browser must not reach us), with one Host, one Upgrade and
// one key, of a path that somebody asked for.
inline http::status judge_upgrade(const http::request<http::empty_body>& request,
                                  const std::function<bool(std::string_view)>& knows_path) {
  if (request.method() != http::verb::get) return http::status::method_not_allowed;
  if (std::distance(request.begin(), request.end()) > UpgradeRequest::max_fields) {
    return http::status::request_header_fields_too_large;
  }
  if (request.count(http::field::origin) != 0) return http::status::forbidden;
  std::string_view target(request.target().data(), request.target().size());
  if (!knows_path || !knows_path(target)) return http::status::not_found;
  bool asks_once = request.count(http::field::upgrade) == 1 && request.count(http::field::host) == 1 &&
                   request.count(http::field::sec_websocket_key) == 1;
  if (!asks_once || !boost::beast::websocket::is_upgrade(request)) return http::status::upgrade_required;
  return http::status::ok;
}

}  // namespace tenkai

// The HTTP request with which a WebSocket begins: what is read of it, and what is
// asked of it.
#pragma once

#include <algorithm>
#include <boost/beast/core/flat_static_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>

#include "wire/base64url.h"

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

// Whether it is the Base64 of 16 bytes.
inline bool is_websocket_key(std::string_view text) {
  if (text.size() != 24 || text.substr(22) != "==") return false;
  std::string url_text(text.substr(0, 22));
  if (url_text.find_first_of("-_") != url_text.npos) return false;
  std::replace(url_text.begin(), url_text.end(), '+', '-');
  std::replace(url_text.begin(), url_text.end(), '/', '_');
  std::string bytes;
  return decode_base64url(url_text, bytes) && bytes.size() == 16;
}

// What is wrong with a request; http::status::ok: nothing. It must be a GET without
// Origin (a page in a browser must not reach us), with one Host, one Upgrade to
// version 13 and one key, of a path that somebody asked for.
inline http::status judge_upgrade(const http::request<http::empty_body>& request,
                                  const std::function<bool(std::string_view)>& knows_path) {
  auto text = [&](http::field name) { return std::string_view(request[name].data(), request[name].size()); };
  if (request.method() != http::verb::get) return http::status::method_not_allowed;
  if (std::distance(request.begin(), request.end()) > UpgradeRequest::max_fields) {
    return http::status::request_header_fields_too_large;
  }
  if (request.count(http::field::origin) != 0) return http::status::forbidden;
  std::string_view target(request.target().data(), request.target().size());
  if (!knows_path || !knows_path(target)) return http::status::not_found;
  bool is_our_upgrade =
      text(http::field::sec_websocket_version) == "13" && boost::beast::websocket::is_upgrade(request);
  if (!is_our_upgrade) return http::status::upgrade_required;
  bool asks_once = request.count(http::field::upgrade) == 1 && request.count(http::field::host) == 1 &&
                   request.count(http::field::sec_websocket_version) == 1 &&
                   request.count(http::field::sec_websocket_key) == 1;
  if (!asks_once || !is_websocket_key(text(http::field::sec_websocket_key))) return http::status::bad_request;
  return http::status::ok;
}

}  // namespace tenkai

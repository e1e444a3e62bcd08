// Why the OpenSSH client has ended with 255, read from what it wrote.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "launcher/plugin/failure.h"

namespace tenkai::ssh {

// Why the client has failed, by what it wrote. Nothing where that is not certain: the command on
// the other machine may end with 255 as well.
std::optional<Failure> client_failure(std::string_view log, std::string_view where,
                                      std::chrono::seconds timeout);

// Whether the server hung up before it had said a word, as it does on callers that it
// has no room for (MaxStartups).
bool is_turned_away(std::string_view log);

// Whether a connection that had been made was lost.
bool is_lost_connection(std::string_view log);

// The sentences that both back ends say.
namespace sentence {
std::string auth_refused(std::string_view where, std::string_view detail);
// `alias`: the name by which known_hosts is to know it, where the settings have another
// (HostKeyAlias); `file`: of known hosts.
std::string host_key_unknown(std::string_view where, std::string_view host, std::uint16_t port,
                             std::string_view alias = {}, std::string_view file = {});
std::string host_key_changed(std::string_view where, std::string_view detail);
std::string unknown_host(std::string_view host, std::string_view detail);
std::string silent(std::string_view where, std::chrono::seconds timeout);
std::string no_answer(std::string_view where, std::chrono::seconds timeout);
std::string unreachable(std::string_view where, std::string_view detail);
std::string tunnel_port(std::string_view where, std::string_view port);
std::string lost(std::string_view where, std::string_view detail);
}  // namespace sentence

}  // namespace tenkai::ssh

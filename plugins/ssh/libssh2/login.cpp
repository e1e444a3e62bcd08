#include "plugins/ssh/libssh2/login.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string_view>
#include <utility>

#include "base/counted.h"
#include "base/text.h"
#include "launcher/plugin/client_failure.h"

namespace tenkai::ssh {
namespace {

// libssh2 prefers ecdsa, and would show another key than the one that is known.
std::string methods_for(const std::vector<KnownKey>& known) {
  std::vector<std::string> types;
  for (const KnownKey& key : known) {
    bool listed = std::find(types.begin(), types.end(), key.type) != types.end();
    if (key.mark == KnownKey::Mark::none && can_sign(key.type) && !listed) types.push_back(key.type);
  }
  return join(types, ",");
}

std::string unknown_key(const std::string& where, const HostSettings& settings) {
  std::string file = settings.known_hosts.empty() ? std::string() : settings.known_hosts.front();
  return sentence::host_key_unknown(where, settings.host, settings.port, settings.host_key_alias, file);
}

}  // namespace

Login::Login(asio::any_io_executor executor, const Libssh2Host& host, Link& link,
             std::function<void()> on_answer)
    : host_(host),
      link_(link),
      on_answer_(std::move(on_answer)),
      where_(to_string(Remote{host.settings.user, host.settings.host, host.settings.port})) {
  std::string methods = methods_for(host.known);
  if (!methods.empty()) libssh2_session_method_pref(link.session(), LIBSSH2_METHOD_HOSTKEY, methods.c_str());
  if (!host.settings.agent.empty()) agent_ = std::make_shared<AgentClient>(executor, host.settings.agent);
}

Login::~Login() {
  *alive_ = false;
  if (agent_) agent_->stop();
}

Login::Progress Login::pump() {
  bool goes_on = true;
  while (goes_on) {
    switch (step_) {
      case Step::handshake: goes_on = handshake(); break;
      case Step::methods: goes_on = methods(); break;
      case Step::keys: goes_on = try_key(); break;
      case Step::agent: return Progress::waits;
      case Step::done: return Progress::done;
      case Step::refused: return Progress::refused;
    }
  }
  return Progress::waits;
}

bool Login::handshake() {
  int failed = libssh2_session_handshake(link_.session(), link_.socket());
  if (failed == LIBSSH2_ERROR_EAGAIN) return false;
  if (failed != 0) {
    refuse(cause::unreachable,
           sentence::unreachable(where_, "no agreement on how to speak: " + link_.error()), true);
    return true;
  }
  check_host_key();
  return true;
}

void Login::check_host_key() {
  std::size_t size = 0;
  int type = 0;
  const char* shown = libssh2_session_hostkey(link_.session(), &size, &type);
  std::string_view key(shown == nullptr ? "" : shown, shown == nullptr ? 0 : size);
  switch (judge_host_key(host_.known, key)) {
    case HostKeyVerdict::known: step_ = Step::methods; return;
    case HostKeyVerdict::unknown:
      return refuse(
          cause::host_key,
          unknown_key(where_, host_.settings) + "; it is " + type_of_key(key) + " " + fingerprint(key),
          host_.settings.lenient_host_keys);
    case HostKeyVerdict::changed:
      return refuse(
          cause::host_key,
          sentence::host_key_changed(where_, type_of_key(key) + " " + fingerprint(key) + " was shown"),
          false);
    case HostKeyVerdict::revoked:
      return refuse(cause::host_key,
                    "the key of " + where_ + " is marked @revoked in known_hosts (" + fingerprint(key) +
                        "): ask who runs the host for its new key",
                    false);
  }
}

// What the host would take; some take everybody.
bool Login::methods() {
  const std::string& user = host_.settings.user;
  const char* list =
      libssh2_userauth_list(link_.session(), user.c_str(), static_cast<unsigned int>(user.size()));
  if (list == nullptr && link_.would_block()) return false;
  if (libssh2_userauth_authenticated(link_.session()) != 0) {
    step_ = Step::done;
  } else if (list == nullptr) {
    refuse(cause::auth_refused, sentence::auth_refused(where_, link_.error()), true);
  } else if (std::strstr(list, "publickey") == nullptr) {
    refuse(cause::auth_refused, sentence::auth_refused(where_, std::string("it takes ") + list), true);
  } else {
    ask_agent();
  }
  return true;
}

void Login::ask_agent() {
  if (!agent_) return order_keys({});
  step_ = Step::agent;
  agent_->list([this, alive = alive_](const std::vector<std::string>& keys) {
    if (!*alive) return;
    order_keys(keys);
    on_answer_();
  });
}

// Hosts count attempts: first what the settings name, of that what the agent has, then
// its others. Keys that libssh2 cannot use are not shown at all.
void Login::order_keys(const std::vector<std::string>& from_agent) {
  auto is_named = [&](const std::string& key) {
    return std::any_of(host_.identities.begin(), host_.identities.end(),
                       [&](const Identity& identity) { return identity.kind.public_part == key; });
  };
  for (const std::string& key : from_agent) {
    if (can_sign(type_of_key(key)) && is_named(key)) keys_.push_back({key, {}});
  }
  for (const Identity& identity : host_.identities) {
    const KeyKind& kind = identity.kind;
    bool in_agent = std::find(from_agent.begin(), from_agent.end(), kind.public_part) != from_agent.end();
    bool usable = !kind.encrypted && (kind.type.empty() || can_sign(kind.type));
    if (usable && !in_agent) keys_.push_back({kind.public_part, identity.file});
  }
  for (const std::string& key : from_agent) {
    if (!host_.settings.identities_only && can_sign(type_of_key(key)) && !is_named(key))
      keys_.push_back({key, {}});
  }
  step_ = Step::keys;
}

bool Login::try_key() {
  if (next_ == keys_.size()) {
    std::string tried = keys_.empty() ? "there is no key that libssh2 could use"
                                      : "of " + counted(keys_.size(), "key") + " it took none";
    refuse(cause::auth_refused, sentence::auth_refused(where_, tried), true);
    return true;
  }
  const Key& key = keys_[next_];
  const std::string& user = host_.settings.user;
  auto* bytes = reinterpret_cast<const unsigned char*>(key.public_part.data());
  void* self = this;
  int failed = key.file.empty() ? libssh2_userauth_publickey(link_.session(), user.c_str(), bytes,
                                                             key.public_part.size(), &Login::on_sign, &self)
                                : libssh2_userauth_publickey_fromfile_ex(
                                      link_.session(), user.c_str(), static_cast<unsigned int>(user.size()),
                                      nullptr, key.file.c_str(), nullptr);
  if (failed == LIBSSH2_ERROR_EAGAIN) return false;
  signing_ = Signing::idle;
  if (failed == 0 && libssh2_userauth_authenticated(link_.session()) != 0) {
    step_ = Step::done;
  } else {
    ++next_;
  }
  return true;
}

int Login::on_sign(LIBSSH2_SESSION*, unsigned char** signature, std::size_t* length,
                   const unsigned char* data, std::size_t size, void** login) {
  return static_cast<Login*>(*login)->sign_by_agent(data, size, signature, length);
}

// Called again and again, with the same data, until the agent has answered.
int Login::sign_by_agent(const unsigned char* data, std::size_t size, unsigned char** signature,
                         std::size_t* length) {
  if (signing_ == Signing::idle) {
    signing_ = Signing::asked;
    agent_->sign(keys_[next_].public_part, {reinterpret_cast<const char*>(data), size},
                 [this, alive = alive_](std::optional<std::string> answer) {
                   if (!*alive) return;
                   signature_ = std::move(answer);
                   signing_ = Signing::answered;
                   on_answer_();
                 });
  }
  if (signing_ != Signing::answered) return LIBSSH2_ERROR_EAGAIN;
  if (!signature_ || signature_->empty()) return LIBSSH2_ERROR_AGENT_PROTOCOL;
  // libssh2 frees it.
  const std::string& answer = *signature_;
  *signature = static_cast<unsigned char*>(std::malloc(answer.size()));
  if (*signature == nullptr) return LIBSSH2_ERROR_ALLOC;
  std::memcpy(*signature, answer.data(), answer.size());
  *length = answer.size();
  return 0;
}

void Login::refuse(FailureCause cause, std::string message, bool client_may) {
  refusal_ = {{cause, std::move(message)}, client_may};
  step_ = Step::refused;
}

Refusal Login::give_up(bool timed_out, const std::string& why) const {
  std::string seconds = std::to_string(host_.timeout.count());
  if (step_ == Step::handshake) {
    std::string message = timed_out ? sentence::silent(where_, host_.timeout)
                                    : sentence::unreachable(where_, why + " before it spoke SSH");
    return {{cause::unreachable, message}, !timed_out};
  }
  if (signing_ == Signing::asked) {
    return {{cause::auth_refused, "the ssh-agent did not sign within " + seconds + " s, so that " + where_ +
                                      " could not let us in: see whether it asks for consent"},
            false};
  }
  if (timed_out) {
    return {{cause::unreachable, where_ + " did not say within " + seconds +
                                     " s whether it lets us in: see whether the host hangs"},
            false};
  }
  return {{cause::auth_refused, sentence::auth_refused(where_, "it " + why)}, true};
}

}  // namespace tenkai::ssh

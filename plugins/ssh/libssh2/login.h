// From the first byte to an open session: key exchange, the host's key, the user's.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/ssh/back_end.h"
#include "plugins/ssh/host_settings.h"
#include "plugins/ssh/identity.h"
#include "plugins/ssh/known_hosts.h"
#include "plugins/ssh/libssh2/agent_client.h"
#include "plugins/ssh/libssh2/link.h"

namespace tenkai::ssh {

// What is to be known of a host for a connection by libssh2.
struct Libssh2Host {
  HostSettings settings;
  std::vector<Identity> identities;
  std::vector<KnownKey> known;
  std::chrono::seconds timeout{10};
};

class Login {
 public:
  // `host` and `link` outlive it. on_answer: the agent has answered; pump again.
  Login(asio::any_io_executor executor, const Libssh2Host& host, Link& link, std::function<void()> on_answer);
  ~Login();

  enum class Progress { waits, done, refused };
  // Goes as far as the bytes that have come allow.
  Progress pump();

  const Refusal& refusal() const { return refusal_; }
  // Why it had to be given up now: the time is over, or the connection has ended.
  Refusal give_up(bool timed_out, const std::string& why) const;

 private:
  enum class Step { handshake, methods, agent, keys, done, refused };
  struct Key {
    std::string public_part;
    std::string file;  // empty: the agent has it
  };
  // Both return false where bytes must come first.
  bool handshake();
  bool methods();
  bool try_key();
  void check_host_key();
  void ask_agent();
  void order_keys(const std::vector<std::string>& from_agent);
  void refuse(FailureCause cause, std::string message, bool client_may);
  int sign_by_agent(const unsigned char* data, std::size_t size, unsigned char** signature,
                    std::size_t* length);
  static int on_sign(LIBSSH2_SESSION*, unsigned char** signature, std::size_t* length,
                     const unsigned char* data, std::size_t size, void** login);

  const Libssh2Host& host_;
  Link& link_;
  std::function<void()> on_answer_;
  std::string where_;
  Step step_ = Step::handshake;
  Refusal refusal_;
  std::shared_ptr<AgentClient> agent_;
  std::vector<Key> keys_;
  std::size_t next_ = 0;
  std::optional<std::string> signature_;
  enum class Signing { idle, asked, answered } signing_ = Signing::idle;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace tenkai::ssh

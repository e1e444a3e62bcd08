// Asks an ssh-agent for its keys and for signatures.
//
// Not by libssh2's own functions, which block: an agent may ask its user first.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tenkai::ssh {

namespace asio = boost::asio;

// One question at a time. Where the agent cannot be reached, or answers nonsense, it
// has no keys and signs nothing.
class AgentClient : public std::enable_shared_from_this<AgentClient> {
 public:
  AgentClient(asio::any_io_executor executor, std::string path) : socket_(executor), path_(std::move(path)) {}

  // The public parts of its keys.
  void list(std::function<void(std::vector<std::string>)> answer);
  // The signature alone, without the name of its kind.
  void sign(const std::string& key, std::string_view data,
            std::function<void(std::optional<std::string>)> answer);
  void stop();

 private:
  using Answer = std::function<void(std::string)>;  // empty: none
  void ask(const std::string& question, Answer answer);
  void write(Answer answer);
  void read(Answer answer);

  asio::local::stream_protocol::socket socket_;
  std::string path_;
  std::string buffer_;
};

}  // namespace tenkai::ssh

#include "plugins/ssh/libssh2/agent_client.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <cstdint>
#include <string_view>
#include <utility>

#include "plugins/ssh/ssh_text.h"

namespace tenkai::ssh {
namespace {

enum : std::uint8_t {
  request_identities = 11,
  identities_answer = 12,
  sign_request = 13,
  sign_response = 14
};

constexpr std::uint32_t max_answer = 256 * 1024;
constexpr std::uint32_t max_keys = 1000;

}  // namespace

void AgentClient::ask(const std::string& question, Answer answer) {
  buffer_ = ssh_text(question);
  if (socket_.is_open()) return write(std::move(answer));
  socket_.async_connect(
      {path_}, [self = shared_from_this(), answer = std::move(answer)](boost::system::error_code failed) {
        if (failed) return answer({});
        self->write(answer);
      });
}

void AgentClient::write(Answer answer) {
  asio::async_write(
      socket_, asio::buffer(buffer_),
      [self = shared_from_this(), answer = std::move(answer)](boost::system::error_code failed, std::size_t) {
        if (failed) return answer({});
        self->read(answer);
      });
}

void AgentClient::read(Answer answer) {
  buffer_.assign(4, '\0');
  asio::async_read(
      socket_, asio::buffer(buffer_),
      [self = shared_from_this(), answer = std::move(answer)](boost::system::error_code failed, std::size_t) {
        std::uint32_t size = SshReader(self->buffer_).number();
        if (failed || size == 0 || size > max_answer) return answer({});
        self->buffer_.assign(size, '\0');
        asio::async_read(self->socket_, asio::buffer(self->buffer_),
                         [self, answer](boost::system::error_code cut, std::size_t) {
                           answer(cut ? std::string() : std::exchange(self->buffer_, {}));
                         });
      });
}

void AgentClient::list(std::function<void(std::vector<std::string>)> answer) {
  ask(std::string(1, static_cast<char>(request_identities)),
      [answer = std::move(answer)](const std::string& text) {
        SshReader reader(text);
        std::vector<std::string> keys;
        if (reader.byte() == identities_answer) {
          std::uint32_t count = reader.number();
          for (std::uint32_t i = 0; i < count && i < max_keys && reader.good(); ++i) {
            std::string key(reader.text());
            reader.text();  // its comment
            if (reader.good()) keys.push_back(std::move(key));
          }
        }
        answer(std::move(keys));
      });
}

void AgentClient::sign(const std::string& key, std::string_view data,
                       std::function<void(std::optional<std::string>)> answer) {
  std::string question(1, static_cast<char>(sign_request));
  question += ssh_text(key) + ssh_text(data) + ssh_number(0);
  ask(question, [answer = std::move(answer)](const std::string& text) {
    SshReader reader(text);
    if (reader.byte() != sign_response) return answer(std::nullopt);
    SshReader signature(reader.text());
    signature.text();  // its kind
    std::string bytes(signature.text());
    if (!signature.good()) return answer(std::nullopt);
    answer(std::move(bytes));
  });
}

void AgentClient::stop() {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace tenkai::ssh

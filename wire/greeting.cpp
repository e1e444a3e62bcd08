#include "wire/greeting.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace tenkai {

void Greeting::receive(ConnectionPtr stranger) {
  std::string address = stranger->peer().address;
  if (stranger->peer().network) address.resize(std::min(address.size(), address.rfind(':')));
  make_room(address);
  strangers_.push_back({stranger, address, std::chrono::steady_clock::now() + time_limit});
  if (strangers_.size() == 1) arm();
  Connection* raw = stranger.get();
  stranger->start({[this, weak = std::weak_ptr<Connection>(stranger)](Frame&& frame) {
                     if (auto connection = weak.lock()) on_frame(connection, frame);
                   },
                   [this, raw](const Connection::End&) { forget(raw); }});
}

void Greeting::make_room(const std::string& address) {
  auto from_there = [&](const Stranger& stranger) { return stranger.address == address; };
  auto drop = [this](std::list<Stranger>::iterator which) {
    ConnectionPtr connection = which->connection;
    strangers_.erase(which);
    connection->drop("too many are at the door");
  };
  if (std::count_if(strangers_.begin(), strangers_.end(), from_there) >= static_cast<long>(max_per_address)) {
    drop(std::find_if(strangers_.begin(), strangers_.end(), from_there));
  }
  if (strangers_.size() >= max_half_open) drop(strangers_.begin());
}

void Greeting::on_frame(const ConnectionPtr& stranger, const Frame& frame) {
  if (frame.type != Type::hello) {
    spdlog::warn("{} sent something else before HELLO and is dropped", stranger->peer().address);
    return stranger->drop("the first frame must be HELLO");
  }
  forget(stranger.get());
  on_hello_(stranger, frame);
}

void Greeting::forget(const Connection* connection) {
  strangers_.remove_if([&](const Stranger& stranger) { return stranger.connection.get() == connection; });
  if (!strangers_.empty()) return;
  // Cancelling would leave the system's timer set, which wakes an idle process for
  // nothing; setting it far ahead does not.
  timer_.expires_after(std::chrono::hours(24));
  timer_.async_wait([](boost::system::error_code) {});
}

void Greeting::arm() {
  if (strangers_.empty()) return;
  timer_.expires_at(strangers_.front().until);
  timer_.async_wait([this](boost::system::error_code cancelled) {
    if (cancelled) return;
    auto now = std::chrono::steady_clock::now();
    while (!strangers_.empty() && strangers_.front().until <= now) {
      ConnectionPtr late = strangers_.front().connection;
      strangers_.pop_front();
      spdlog::warn("{} did not greet within {} s and is dropped", late->peer().address, time_limit.count());
      late->drop("no HELLO within the time limit");
    }
    arm();
  });
}

void welcome(Connection& connection, Connection::Callbacks callbacks, Frame welcome) {
  connection.set_limit(max_payload);
  connection.hand_over(std::move(callbacks));
  connection.send(std::move(welcome));
}

void refuse(Connection& connection, std::string reason, std::string_view own_version) {
  spdlog::warn("{} is refused: {}", connection.peer().address, printable(reason));
  connection.send(Frame(Type::refused).with(Key::message, reason).with(Key::version, own_version));
  connection.close();
}

std::string version_mismatch(const Frame& greeting, std::string_view own_version) {
  std::string theirs = greeting.text(Key::version);
  if (theirs == own_version) return {};
  return "this is tenkai " + std::string(own_version) + ", the other end is " +
         (theirs.empty() ? "of no version that it tells" : "tenkai " + printable(theirs, 40)) +
         ": install the same version on both sides";
}

}  // namespace tenkai

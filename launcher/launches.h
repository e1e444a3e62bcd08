// All launches of one dispatcher: hands them to plugins, follows what becomes of
// them, and tells the user of those that bring nothing.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "launcher/launch.h"
#include "launcher/order.h"
#include "launcher/plugin_process.h"
#include "scheduler/launch_desk.h"

namespace tenkai {

class Launches : public LaunchDesk {
 public:
  explicit Launches(Surroundings around);

  void on_request(std::string_view payload, Reply reply) override;
  void on_joined(GrantId grant, std::size_t slot) override;
  void on_left(GrantId grant, std::size_t slot) override;
  std::string status() const override;
  void close(std::function<void()> done) override;

 private:
  struct Entry {
    Launch launch;
    std::string plugin;
    GrantId grant = 0;
    std::string file;  // the credential's, while it is needed
    // What a plugin that has died needs to know again; without the credential.
    LaunchRequest request;
    std::string input;  // with the credential, until it is handed on
  };
  using EntryPtr = std::shared_ptr<Entry>;
  struct Rendering;

  LaunchRequest request_for(const Order& order, const Order::Part& part);
  void on_rendered(Rendering& rendering, const Reply& reply);
  Result<EntryPtr> enter(const Order& order, const Order::Part& part, const LaunchRequest& request);
  Result<PluginProcess*> plugin(const std::string& name);
  void begin(const EntryPtr& entry);
  void on_news(const std::string& plugin, const JobReport& news);
  void take(const EntryPtr& entry, const JobReport& report);
  void poll_later(const EntryPtr& entry, std::optional<int> after_ms);
  void on_died(const std::string& plugin, const std::string& why_not);
  void take_up_again(const EntryPtr& entry);
  void cancel(const Entry& entry);
  EntryPtr by_job(const std::string& plugin, const std::string& job) const;
  EntryPtr by_grant(GrantId grant) const;
  EntryPtr without_grant(std::size_t slot, bool has_joined) const;
  void after_change(const EntryPtr& entry, bool changed);
  void let_go_of_credential(Entry& entry);
  void forget_old();
  void tell_failures();
  void watch();

  Surroundings around_;
  std::string self_;  // our own program, beside which the plugins are
  std::map<std::string, std::unique_ptr<PluginProcess>> plugins_;
  std::map<std::uint64_t, EntryPtr> entries_;
  std::uint64_t last_ = 0;
  std::string folder_;                 // for credential files; empty: not needed so far
  std::vector<std::uint64_t> untold_;  // failed, and the user does not know yet
  asio::steady_timer tell_timer_;
  asio::steady_timer watch_timer_;
  bool watching_ = false;
  bool closing_ = false;
};

std::unique_ptr<LaunchDesk> open_launches(LaunchDesk::Surroundings around);

}  // namespace tenkai

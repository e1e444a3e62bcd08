// All launches of one dispatcher: hands them to plugins, follows what becomes of
// them, and tells the user of those that bring nothing.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/launch/full.h"
#include "launcher/launch/launch.h"
#include "launcher/launch/launch_plan.h"
#include "launcher/launch/scaling.h"
#include "launcher/launch/settle.h"
#include "launcher/plugin/plugin_process.h"
#include "scheduler/launcher_interface.h"

namespace tenkai {

class Launches : public LauncherInterface {
 public:
  explicit Launches(Dependencies dependencies);

  Result<Done> settle(Setup& setup, std::vector<std::string>& warnings) override;
  void on_request(std::string_view payload, Reply reply) override;
  void on_joined(GrantId grant, std::size_t slot) override;
  void on_left(GrantId grant, std::size_t slot, Cause::Kind why) override;
  void on_given_up(GrantId grant, std::size_t slot, const REnd& end, std::uint64_t starts) override;
  void on_away(GrantId grant, std::size_t slot) override;
  std::string place_of(GrantId grant, std::size_t slot) const override;
  Size size_of(GrantId grant, std::size_t slot) const override;
  void on_load() override;
  Prospects prospects() const override;
  std::optional<std::size_t> wanted() const override { return scaling_ ? scaling_->wanted() : std::nullopt; }
  std::string status() override;
  void close(std::function<void()> done) override;

 private:
  struct Entry;
  using EntryPtr = std::shared_ptr<Entry>;
  // What a plugin was asked for once: one launch, or, of a batch system, as many as
  // there are agents. They share a credential.
  struct Batch {
    std::string plugin;
    bool is_job = false;  // of a batch system: it outlives the plugin, and may start again
    GrantId grant = 0;
    std::string file;  // the credential's, while it is needed
    // What a plugin that has died needs to know again; without the credential.
    LaunchRequest request;
    std::string input;  // with the credential, until it is handed on
    std::vector<EntryPtr> entries;
  };
  using BatchPtr = std::shared_ptr<Batch>;
  struct Entry {
    Launch launch;
    std::weak_ptr<Batch> batch;
    std::string plugin;
    GrantId grant = 0;
    bool by_hand = false;         // somebody else is to run it
    bool suspended = false;       // its job
    bool asked = false;           // the plugin, what has become of it
    std::string told_stuck = {};  // for which reason the user knows that it does not begin
  };
  struct Rendering;

  LaunchRequest request_for(const LaunchPlan& plan, const LaunchPlan::Part& part);
  void on_rendered(Rendering& rendering, const Reply& reply);
  Result<BatchPtr> enter(const LaunchPlan& plan, const LaunchPlan::Part& part, const LaunchRequest& request);
  Result<Done> make_manifest(const LaunchPlan& plan, const LaunchPlan::Part& part, Batch& batch);
  void launch_later(const LaunchPlan& plan);
  Result<std::uint64_t> launch(const Scaling::UnitLaunch& unit_launch);
  void scale();
  void scale_at(LaunchTime when);
  bool is_awaited(std::size_t slot) const;
  void exclude_after(Cause::Kind cause, const std::string& node);
  Result<PluginProcess*> plugin(const std::string& name);
  void begin(const BatchPtr& batch);
  void on_begun(const BatchPtr& batch, const PluginAnswer& answer);
  void on_news(const std::string& plugin, const JobReport& news);
  void take(const EntryPtr& entry, const JobReport& report);
  void poll_later(const EntryPtr& entry, std::optional<int> after_ms);
  void poll(const EntryPtr& entry);
  void ask_what_waits();
  void on_died(const std::string& plugin, const std::string& why_not);
  void take_up_again(const BatchPtr& batch);
  void cancel(const Entry& entry);
  EntryPtr by_job(const std::string& plugin, const std::string& job) const;
  EntryPtr by_grant(GrantId grant, std::size_t slot) const;
  EntryPtr without_grant(std::size_t slot, bool has_joined) const;
  void after_change(const EntryPtr& entry, bool changed);
  static bool is_over(const Entry& entry);
  void let_go_of_credential(Batch& batch);
  void forget_old();
  void tell_failures();
  void tell_given_up();
  void tell_soon();
  void tell_stuck();
  void on_stuck(const EntryPtr& entry);
  void watch();
  void watch(const EntryPtr& entry);

  Dependencies dependencies_;
  LaunchSession launch_session_;
  std::string self_;  // our own program, beside which the plugins are
  std::map<std::string, std::unique_ptr<PluginProcess>> plugins_;
  std::map<std::uint64_t, EntryPtr> entries_;
  std::vector<BatchPtr> batches_;
  std::uint64_t last_ = 0;
  std::string folder_;   // for credentials, scripts, logs; empty: not needed so far
  std::string session_;  // for names of jobs
  LaunchTime asked_what_waits_{};
  std::vector<std::uint64_t> untold_;    // failed, and the user does not know yet
  std::vector<std::uint64_t> given_up_;  // have daemons that will not come, and others may
  std::vector<std::uint64_t> stuck_;     // wait for somebody, and the user does not know yet
  asio::steady_timer tell_timer_;
  asio::steady_timer watch_timer_;
  bool watching_ = false;
  LaunchPlan later_;  // of what is launched later, without its parts
  std::optional<Scaling> scaling_;
  asio::steady_timer scale_timer_;
  std::optional<LaunchTime> scales_at_;
  bool scales_soon_ = false;
  Full full_;
  bool closing_ = false;
};

std::unique_ptr<LauncherInterface> open_launches(LauncherInterface::Dependencies dependencies);

}  // namespace tenkai

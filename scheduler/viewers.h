// Those who look on: `tenkai status` and `tenkai launch`, run by this user on this
// machine.
//
// A viewer may ask for the status and for launches, one after the other. It cannot
// submit anything, hears nothing that it has not asked for, and whatever else it says
// is the end of it. The session and its tasks do not notice that it is there.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "wire/greeting.h"
#include "wire/listener.h"

namespace tenkai {

class Viewers {
 public:
  using Reply = std::function<void(Result<std::string>)>;
  struct Callbacks {
    std::function<std::string()> status;
    std::function<void(std::string_view plan, Reply)> launch;  // replies once, now or later
  };
  // At a time; and as many again who have not said what they are.
  static constexpr std::size_t most = 16;
  // How many bytes a launch plan may have.
  static constexpr std::uint64_t largest_plan = 16 * 1024 * 1024;

  // `strangers` must outlive this.
  Viewers(asio::any_io_executor executor, Strangers& strangers, Callbacks callbacks);

  // Lets them in from now on. Where that cannot be there are none, which is no
  // reason to have no dispatcher; the log says why.
  void open();
  void close();

 private:
  struct Viewer {
    ConnectionPtr connection;
    bool is_answered = true;
  };
  using ViewerPtr = std::shared_ptr<Viewer>;

  void on_stranger(ConnectionPtr stranger);
  void on_greeted(const ConnectionPtr& connection, const Frame& hello);
  void on_frame(const ViewerPtr& viewer, const Frame& frame);
  static void answer(Viewer& viewer, std::uint64_t request, const Result<std::string>& result);
  static void drop(Viewer& viewer, const std::string& why);

  asio::any_io_executor executor_;
  Strangers& strangers_;
  Callbacks callbacks_;
  Greeting greeting_;
  std::unique_ptr<Listener> listener_;
  std::set<ViewerPtr> viewers_;
};

}  // namespace tenkai

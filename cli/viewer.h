// A conversation with a dispatcher, of a viewer: one question at a time. It blocks,
// and every wait has a limit.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "launcher/view/view.h"
#include "scheduler/viewer_door.h"
#include "wire/connection.h"

namespace tenkai {

class Viewer {
 public:
  struct Visit {
    // Null where no dispatcher of this user is behind the door: it was shut meanwhile, or it
    // is another user's.
    std::unique_ptr<Viewer> viewer;
    // True: `viewer` is null because as many wait at this door as may. Whose it is, is not known.
    bool is_crowded = false;
  };
  // `io` must outlive the viewer, and runs while this waits, no longer. Nobody is
  // waited for at a crowded door.
  static Result<Visit> visit(asio::io_context& io, const ViewerDoor& door);
  ~Viewer();
  Viewer(const Viewer&) = delete;
  Viewer& operator=(const Viewer&) = delete;

  Result<std::string> ask(std::string_view name, std::string_view payload = {},
                          std::chrono::milliseconds limit = std::chrono::seconds(5));
  // What there is to be seen now.
  Result<View> look();
  pid_t pid() const { return pid_; }

 private:
  // What the callbacks of the connection may touch, whoever of us ends first.
  struct Inbox {
    std::optional<Frame> frame;
    std::optional<std::string> end;
  };

  Viewer(asio::io_context& io, pid_t pid, ConnectionPtr connection);
  Result<Frame> next(std::chrono::milliseconds limit);

  asio::io_context& io_;
  pid_t pid_;
  ConnectionPtr connection_;
  std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>();
  std::uint64_t last_request_ = 0;
};

}  // namespace tenkai

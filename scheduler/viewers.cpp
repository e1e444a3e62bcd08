#include "scheduler/viewers.h"

#include <spdlog/spdlog.h>

#include <cstdint>
#include <optional>
#include <utility>

#include "base/text.h"
#include "base/version.h"
#include "scheduler/dispatcher.h"
#include "scheduler/viewer_door.h"

namespace tenkai {

Viewers::Viewers(asio::any_io_executor executor, Strangers& strangers, Callbacks callbacks)
    : executor_(executor),
      strangers_(strangers),
      callbacks_(std::move(callbacks)),
      greeting_(executor, {[](const ListenerHandshake::Claim&) { return std::optional<Secret>(); },
                           [this](const ConnectionPtr& connection, const Frame& hello, const Proven*) {
                             on_greeted(connection, hello);
                           }}) {}

void Viewers::open() {
  Listener::Door door{url_of(fresh_viewer_door()), {}, nullptr, &strangers_};
  Result<std::unique_ptr<Listener>> listener =
      Listener::open(executor_, door, [this](ConnectionPtr stranger) { on_stranger(std::move(stranger)); });
  if (!listener) return spdlog::warn("there is no door for viewers: {}", listener.error().message);
  listener_ = std::move(*listener);
}

void Viewers::close() {
  listener_.reset();
  for (const ViewerPtr& viewer : std::exchange(viewers_, {})) {
    viewer->connection->hand_over({});
    viewer->connection->close();
  }
}

void Viewers::on_stranger(ConnectionPtr stranger) {
  if (greeting_.waiting() >= most) return stranger->drop("too many are at the door");
  greeting_.receive(std::move(stranger));
}

void Viewers::on_greeted(const ConnectionPtr& connection, const Frame& hello) {
  std::string mismatch = version_mismatch(hello, program_version);
  if (!mismatch.empty()) return refuse(*connection, mismatch, program_version);
  if (static_cast<Role>(hello.number(Key::role)) != Role::viewer) {
    return refuse(*connection, "only viewers come in here", program_version);
  }
  if (!listener_) return refuse(*connection, "the session has ended", program_version);
  if (viewers_.size() >= most) {
    return refuse(*connection,
                  std::to_string(most) + " viewers look at this dispatcher already; end one of them",
                  program_version);
  }
  auto viewer = std::make_shared<Viewer>();
  viewer->connection = connection;
  viewers_.insert(viewer);
  // Weak: the connection must not hold the viewer that holds it.
  std::weak_ptr<Viewer> weak = viewer;
  welcome(*connection,
          {[this, weak](Frame&& frame) {
             if (ViewerPtr asks = weak.lock()) on_frame(asks, frame);
           },
           [this, weak](const Connection::End&) { viewers_.erase(weak.lock()); }},
          Frame(Type::welcome).with(Key::version, program_version));
  connection->set_limit(largest_plan);
}

void Viewers::on_frame(const ViewerPtr& viewer, const Frame& frame) {
  if (frame.type != Type::request) return drop(*viewer, "sent something else than a request");
  // One answer at a time waits for it, however fast it asks.
  if (!viewer->is_answered || viewer->connection->waiting() > 0) {
    return drop(*viewer, "asked again before it had its last answer");
  }
  std::string name = frame.text(Key::name);
  if (name == "status") return answer(*viewer, frame.task, callbacks_.status());
  if (name != "launch_remote") return drop(*viewer, "asked for '" + printable(name, 40) + "'");
  viewer->is_answered = false;
  std::weak_ptr<Viewer> weak = viewer;
  callbacks_.launch(view_of(frame.payload), [weak, request = frame.task](const Result<std::string>& result) {
    ViewerPtr asked = weak.lock();
    if (!asked) return;
    asked->is_answered = true;
    answer(*asked, request, result);
  });
}

void Viewers::answer(Viewer& viewer, std::uint64_t request, const Result<std::string>& result) {
  Frame reply(Type::reply);
  reply.task = request;
  if (result) {
    reply.payload = make_payload(*result);
  } else {
    reply.with(Key::code, static_cast<std::uint64_t>(Code::reset)).with(Key::message, result.error().message);
  }
  viewer.connection->send(std::move(reply));
}

void Viewers::drop(Viewer& viewer, const std::string& why) {
  spdlog::warn("the viewer {} {} and is dropped", viewer.connection->peer().address, why);
  viewer.connection->drop(why);
}

}  // namespace tenkai

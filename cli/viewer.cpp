#include "cli/viewer.h"

#include <cstdint>
#include <utility>

#include "base/text.h"
#include "base/version.h"
#include "wire/dial.h"

namespace tenkai {
namespace {

constexpr std::chrono::seconds greeting_limit{5};

// Runs `io` until `there` says so, or it is too late; returns what it says then.
template <class There>
bool run_until(asio::io_context& io, std::chrono::milliseconds limit, There there) {
  auto until = std::chrono::steady_clock::now() + limit;
  while (!there() && std::chrono::steady_clock::now() < until) {
    io.restart();
    io.run_one_until(until);
  }
  return there();
}

std::string name_of(pid_t pid) { return "the dispatcher " + std::to_string(pid); }

}  // namespace

Result<Viewer::Visit> Viewer::visit(asio::io_context& io, const ViewerDoor& door) {
  auto dialled = std::make_shared<std::optional<Result<ConnectionPtr>>>();
  dial(io.get_executor(), url_of(door), std::chrono::milliseconds(0), nullptr,
       [dialled](Result<ConnectionPtr> connection) { *dialled = std::move(connection); });
  Visit visit;
  if (!run_until(io, greeting_limit, [&] { return dialled->has_value(); })) return visit;
  if (!**dialled) {
    visit.is_crowded = (*dialled)->error().code == Code::timed_out;
    return visit;
  }
  std::unique_ptr<Viewer> viewer(new Viewer(io, door.pid, ***dialled));
  viewer->connection_->send(Frame(Type::hello)
                                .with(Key::role, static_cast<std::uint64_t>(Role::viewer))
                                .with(Key::version, program_version));
  Result<Frame> answer = viewer->next(greeting_limit);
  if (!answer) return answer.error();
  if (answer->type != Type::welcome) {
    return Error{name_of(door.pid) + " lets nobody look: " + printable(answer->text(Key::message), 500)};
  }
  viewer->connection_->set_limit(max_payload);
  visit.viewer = std::move(viewer);
  return visit;
}

Viewer::Viewer(asio::io_context& io, pid_t pid, ConnectionPtr connection)
    : io_(io), pid_(pid), connection_(std::move(connection)) {
  connection_->start({[inbox = inbox_](Frame&& frame) { inbox->frame = std::move(frame); },
                      [inbox = inbox_](const Connection::End& end) { inbox->end = end.reason; }});
}

Viewer::~Viewer() {
  connection_->close();
  io_.restart();
  io_.poll();
}

Result<Frame> Viewer::next(std::chrono::milliseconds limit) {
  inbox_->frame.reset();
  run_until(io_, limit, [this] { return inbox_->frame || inbox_->end; });
  if (inbox_->frame) return std::move(*inbox_->frame);
  if (inbox_->end) return Error{name_of(pid_) + " has ended (" + *inbox_->end + ")"};
  return Error{name_of(pid_) + " has not answered within " + std::to_string(limit.count() / 1000) +
               " s: it may be stopped, or very busy"};
}

Result<std::string> Viewer::ask(std::string_view name, std::string_view payload,
                                std::chrono::milliseconds limit) {
  Frame request(Type::request);
  request.task = ++last_request_;
  request.payload = make_payload(payload);
  connection_->send(std::move(request.with(Key::name, name)));
  Result<Frame> answer = next(limit);
  if (!answer) return answer.error();
  if (answer->find(Key::code) != nullptr) return Error{answer->text(Key::message)};
  return std::string(view_of(answer->payload));
}

Result<View> Viewer::look() {
  Result<std::string> text = ask("status");
  if (!text) return text.error();
  Result<View> view = parse_view(*text);
  if (view) view->pid = pid_;
  return view;
}

}  // namespace tenkai

#include "scheduler/notices.h"

#include <utility>

namespace tenkai {

void Notices::on_joined(std::optional<Duration> room) {
  absence_.on_joined();
  room_.on_joined(room);
}

void Notices::on_waiting(Time now, std::optional<SessionId> usual, Sends& sends) {
  std::optional<std::string> text = absence_.on_waiting(now, usual.has_value());
  if (text && usual) sends.emplace_back(Tell{*usual, std::move(*text)});
}

void Notices::on_too_long(SessionId session, Duration request, Sends& sends) {
  sends.emplace_back(Tell{session, room_.tell(request)});
}

void Notices::on_escalated(SessionId session, const std::string& daemon, const Cause& cause,
                           const Factors& factors, Sends& sends) {
  if (!told_escalations_.insert(cause.kind).second) return;
  std::string more = cause.kind == Cause::Kind::oom ? times_as_much(factors.mem, "memory")
                                                    : times_as_much(factors.time, "time");
  sends.emplace_back(
      Tell{session, daemon + " " + cause.text + " while it ran a task, which is tried again with " + more});
}

}  // namespace tenkai

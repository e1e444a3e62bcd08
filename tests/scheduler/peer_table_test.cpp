#include "scheduler/peer_table.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/version.h"
#include "tests/catch.h"
#include "tests/scheduler/describe.h"

using namespace tenkai;
using namespace tenkai::tests;
using namespace std::chrono_literals;

namespace {

constexpr pid_t our_daemon = 42;

// A table for two slots, with URLs "0" and "1", and a session.
class Table : private PeerQuestions {
 public:
  Table() : dispatcher({}, 2), table(dispatcher, grants, *this, {{}, "here", false}) {
    table.obey({}, dispatcher.on_session_joined({}, 1));
  }

  // An agent that has come with a credential for both slots, and so many daemons. `uses`: as of Grants.
  void let_agent_in(ConnectionId connection, std::uint32_t daemons, std::uint32_t uses = 1) {
    Proven proven;
    proven.id[0] = proven.resumption.id[1] = static_cast<unsigned char>(connection);
    proven.id[2] = proven.resumption.id[3] = static_cast<unsigned char>(connection >> 8);
    grant = *grants.issue({{0, 1}, 1, uses, {}}, proven.id, Secret());
    table.on_hello({}, {}, {connection, "", {}, true, 0}, hello(Role::agent), &proven);
    for (std::uint32_t rank = 0; rank < daemons; ++rank) join(connection, rank);
  }
  // It comes back after a break, and has said nothing yet.
  void let_agent_return(Time now, ConnectionId before, ConnectionId connection) {
    Proven proven;
    proven.id[1] = static_cast<unsigned char>(before);
    table.on_hello(now, {}, {connection, "", {}, true, 0}, hello(Role::agent), &proven);
  }
  void join(ConnectionId connection, std::uint32_t rank, Time now = {}) {
    Frame joins(Type::join);
    joins.rank = rank;
    table.on_frame(now, connection, std::move(joins.with(Key::url, std::to_string(rank))));
  }
  void let_daemon_in(ConnectionId connection) {
    Frame greeting = hello(Role::daemon);
    table.on_hello({}, {}, {connection, "", our_daemon, false, 0}, greeting.with(Key::url, "0"), nullptr);
  }
  void pass_time_until(Time end) {
    while (table.next_timer() && *table.next_timer() <= end) table.on_timer(*table.next_timer());
  }
  void submit(std::uint64_t number) { table.obey({}, dispatcher.on_submit({}, 1, task(number))); }

  // What the table asks for, of one kind.
  template <class What>
  std::vector<What> take() {
    PeerActions actions;
    table.take(actions);
    std::vector<What> found;
    for (PeerAction& action : actions) {
      if (What* what = std::get_if<What>(&action)) found.push_back(std::move(*what));
    }
    return found;
  }
  // How many tasks are sent.
  std::size_t tasks_sent() {
    auto said = take<peer_action::Say>();
    auto is_task = [](const peer_action::Say& say) { return say.frame.type == Type::task; };
    return static_cast<std::size_t>(std::count_if(said.begin(), said.end(), is_task));
  }

  Dispatcher dispatcher;
  Grants grants;
  GrantId grant = 0;
  PeerTable table;

 private:
  static Frame hello(Role role) {
    return Frame(Type::hello)
        .with(Key::version, program_version)
        .with(Key::role, static_cast<std::uint64_t>(role));
  }
  bool is_open(ConnectionId) const override { return true; }
  std::optional<std::size_t> slot_of(const std::string& url, std::uint16_t) const override {
    return std::stoul(url);
  }
  std::optional<std::size_t> slot_of(pid_t pid) const override {
    return pid == our_daemon ? std::optional<std::size_t>(0) : std::nullopt;
  }
  Size size_of(GrantId, std::size_t) const override { return {}; }
  std::string place_of(GrantId, std::size_t) const override { return {}; }
};

}  // namespace

TEST_CASE("what a lost agent ran is not for its other daemons") {
  Table with;
  with.let_agent_in(1, 2);
  with.submit(1);
  with.table.on_job_over({}, with.grant, {0}, {Cause::Kind::preempted, "was preempted"});

  with.table.on_closed({}, 1, false, "end of file");

  CHECK(with.dispatcher.queued() == 1);
  CHECK(with.dispatcher.slots()[0].assigned + with.dispatcher.slots()[1].assigned == 1);
}

TEST_CASE("what a task says is passed on while its attempt is awaited") {
  Table with;
  with.let_agent_in(1, 2);
  with.submit(7);
  constexpr char said_byte = 's';
  auto passed_on = [&](std::uint32_t rank, std::uint64_t number, std::uint32_t attempt,
                       std::size_t size = 3) {
    Frame said(Type::said);
    said.session = 1;
    said.task = number;
    said.attempt = attempt;
    said.rank = rank;
    said.payload = make_payload(std::string(size, said_byte));
    said.with(Key::number, 5).with(Key::label, "not for the session");
    with.table.on_frame({}, 1, std::move(said));
    return with.take<peer_action::PassOn>();
  };

  std::vector<peer_action::PassOn> good = passed_on(0, 7, 1);
  REQUIRE(good.size() == 1);
  CHECK(good[0].said.task == 7);
  CHECK(good[0].said.number(Key::number) == 5);
  CHECK(good[0].said.attributes.size() == 1);
  CHECK(view_of(good[0].said.payload) == std::string(3, said_byte));

  CHECK(passed_on(1, 7, 1).empty());  // not that daemon's
  CHECK(passed_on(9, 7, 1).empty());
  CHECK(passed_on(0, 8, 1).empty());
  CHECK(passed_on(0, 7, 2).empty());
  CHECK(passed_on(0, 7, 1, max_said + 1).empty());
  with.table.obey({}, with.dispatcher.on_cancel({}, 1, 7));
  CHECK(passed_on(0, 7, 1).empty());
}

TEST_CASE("a daemon of ours whose stream has ended gets nothing more") {
  Table with;
  with.let_daemon_in(1);
  with.table.on_closed({}, 1, false, "end of file");

  with.submit(1);

  CHECK(with.dispatcher.queued() == 1);
  with.table.on_process_ended({}, our_daemon, {});
  with.let_daemon_in(2);
  CHECK(with.tasks_sent() == 1);
}

TEST_CASE("nothing is sent to a peer that was hung up on") {
  Table with;
  with.let_agent_in(1, 1);

  with.table.on_frame({}, 1, Frame(Type::note));
  CHECK(with.take<peer_action::Drop>().size() == 1);
  with.submit(1);

  CHECK(with.tasks_sent() == 0);
  CHECK(with.dispatcher.queued() == 1);
}

TEST_CASE("the launcher hears that saisei has sent a daemon away") {
  Table with;
  with.let_agent_in(1, 1);

  with.table.obey({}, with.dispatcher.regenerate({}, 0));
  with.table.drop_slot({}, 0);

  std::vector<peer_action::Left> left = with.take<peer_action::Left>();
  REQUIRE(left.size() == 1);
  CHECK(left[0].grant == with.grant);
}

TEST_CASE("an agent that is stopped, away, and has no daemon any more is not waited for") {
  Table with;
  with.let_agent_in(1, 1);
  with.table.on_closed({}, 1, true, "silence");
  with.table.on_job_suspended({}, with.grant, {0, 1}, true);

  with.table.obey({}, with.dispatcher.regenerate({}, 0));
  with.table.drop_slot({}, 0);

  CHECK(with.table.size() == 0);
}

TEST_CASE("a daemon whose agent is back gets nothing before it has said what it holds") {
  Table with;
  with.let_agent_in(1, 2);
  with.submit(1);
  with.table.on_closed({}, 1, true, "silence");
  with.let_agent_return(Time(1s), 1, 2);
  // What it says is long on its way: it is suspect by then.
  with.pass_time_until(Time(10s));
  with.submit(2);
  with.take<peer_action::Say>();

  with.join(2, 0, Time(10s));
  CHECK(with.dispatcher.slots()[1].suspect);

  with.join(2, 1, Time(10s));
  CHECK(!with.dispatcher.slots()[1].suspect);
}

TEST_CASE("what is to be killed when its agent is back is that R, and not the next one") {
  Table with;
  with.let_agent_in(1, 0);
  auto join = [&](ConnectionId connection, const char* instance) {
    with.take<peer_action::Say>();
    Frame joins(Type::join);
    with.table.on_frame({}, connection, std::move(joins.with(Key::url, "0").with(Key::instance, instance)));
    auto said = with.take<peer_action::Say>();
    return std::count_if(said.begin(), said.end(), [](const peer_action::Say& say) {
      return say.frame.type == Type::cancel && say.frame.kind<CancelKind>() == CancelKind::kill;
    });
  };
  join(1, "first");
  with.table.on_closed({}, 1, true, "cut");
  with.table.obey({}, {Kill{1}});

  bool is_next = GENERATE(false, true);
  with.let_agent_return({}, 1, 2);
  CHECK(join(2, is_next ? "next" : "first") == (is_next ? 0 : 1));

  with.table.on_closed({}, 2, true, "cut again");
  with.let_agent_return({}, 1, 3);
  CHECK(join(3, is_next ? "next" : "first") == 0);
}

TEST_CASE("a daemon of ours whose process has ended gets nothing more") {
  Table with;
  with.let_daemon_in(1);
  with.table.on_process_ended({}, our_daemon, {});

  with.submit(1);

  CHECK(with.tasks_sent() == 0);
  CHECK(with.dispatcher.queued() == 1);
}

TEST_CASE("agents that start their R wait for no other, where each has a credential of its own") {
  Table with;
  for (ConnectionId connection = 1; connection <= 300; ++connection) with.let_agent_in(connection, 0);

  CHECK(with.take<peer_action::Refuse>().empty());

  for (ConnectionId connection = 301; connection <= 600; ++connection) with.let_agent_in(connection, 0, 0);
  CHECK(with.take<peer_action::Refuse>().size() == 300 - 256);
}

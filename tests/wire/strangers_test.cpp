#include "wire/strangers.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <string>
#include <vector>

#include "tests/catch.h"

using namespace tenkai;
using namespace std::chrono_literals;

namespace {

// Strangers who note down that they had to go, and why.
struct Doorstep {
  boost::asio::io_context io;
  Strangers strangers{io.get_executor()};
  std::vector<std::string> expelled;
  std::vector<Strangers::TicketPtr> tickets;

  Strangers::Ticket& enter(const std::string& address, const std::string& name) {
    tickets.push_back(
        strangers.enter(address, [this, name](const std::string&) { expelled.push_back(name); }));
    return *tickets.back();
  }
  void crowd(std::size_t size, const std::string& name) {
    for (std::size_t i = 0; i < size; ++i) {
      enter("10.0." + std::to_string(i / 16) + ".1", name + std::to_string(i));
    }
  }
};

}  // namespace

TEST_CASE("the 33rd from one address pushes out the first from there, and nobody else", "[T8]") {
  Doorstep door;
  door.enter("10.9.9.9", "neighbour");
  for (int i = 0; i < 33; ++i) door.enter("10.0.0.1", "caller " + std::to_string(i));

  CHECK(door.expelled == std::vector<std::string>{"caller 0"});
  CHECK(door.strangers.size() == 33);
}

TEST_CASE("the 257th pushes out the oldest of all", "[T8]") {
  Doorstep door;
  door.crowd(256, "caller ");
  REQUIRE(door.expelled.empty());

  door.enter("10.9.9.9", "one more");

  CHECK(door.expelled == std::vector<std::string>{"caller 0"});
  CHECK(door.strangers.size() == 256);
}

TEST_CASE("those who have named a credential that is known go last", "[T8]") {
  Doorstep door;
  door.enter("10.9.9.9", "one of us").is_promising();
  door.crowd(300, "caller ");

  CHECK(door.expelled.size() == 45);
  CHECK(door.expelled.front() == "caller 0");
  CHECK(std::count(door.expelled.begin(), door.expelled.end(), "one of us") == 0);
}

TEST_CASE("among many from one address, too, those go last who have named a credential", "[T8]") {
  Doorstep door;
  door.enter("10.0.0.1", "one of us").is_promising();
  for (int i = 0; i < 40; ++i) door.enter("10.0.0.1", "caller " + std::to_string(i));

  CHECK(door.expelled.size() == 9);
  CHECK(std::count(door.expelled.begin(), door.expelled.end(), "one of us") == 0);
}

TEST_CASE("where all have named a credential, the oldest goes", "[T8]") {
  Doorstep door;
  for (int i = 0; i < 33; ++i) door.enter("10.0.0.1", "caller " + std::to_string(i)).is_promising();

  CHECK(door.expelled == std::vector<std::string>{"caller 0"});
}

TEST_CASE("who has proved who it is makes room", "[T8]") {
  Doorstep door;
  door.crowd(256, "caller ");
  door.tickets.erase(door.tickets.begin());

  door.enter("10.9.9.9", "one more");

  CHECK(door.expelled.empty());
  CHECK(door.strangers.size() == 256);
}

TEST_CASE("a stranger is expelled in the shape it has now, and once", "[T8]") {
  Doorstep door;
  door.enter("10.0.0.1", "as a socket").expel_by([&](const std::string&) {
    door.expelled.push_back("as TLS");
  });
  for (int i = 0; i < 64; ++i) door.enter("10.0.0.1", "caller");

  CHECK(door.expelled.front() == "as TLS");
  CHECK(std::count(door.expelled.begin(), door.expelled.end(), "as TLS") == 1);
  CHECK(std::count(door.expelled.begin(), door.expelled.end(), "as a socket") == 0);
}

TEST_CASE("one that was expelled while it changed its shape goes at once", "[T8]") {
  Doorstep door;
  Strangers::Ticket& late = door.enter("10.0.0.1", "as a socket");
  for (int i = 0; i < 32; ++i) door.enter("10.0.0.1", "caller");
  REQUIRE(door.expelled == std::vector<std::string>{"as a socket"});

  late.expel_by([&](const std::string&) { door.expelled.push_back("as TLS"); });

  CHECK(door.expelled.back() == "as TLS");
}

TEST_CASE("expelling may let go of the last copy of the ticket", "[T8]") {
  boost::asio::io_context io;
  Strangers strangers(io.get_executor());
  std::vector<Strangers::TicketPtr> tickets(40);
  for (std::size_t i = 0; i < tickets.size(); ++i) {
    tickets[i] = strangers.enter("10.0.0.1", [&tickets, i](const std::string&) { tickets[i] = nullptr; });
  }

  CHECK(strangers.size() == 32);
  CHECK(tickets[7] == nullptr);
  CHECK(tickets[8] != nullptr);
}

TEST_CASE("tickets may outlive the door", "[T8]") {
  boost::asio::io_context io;
  auto strangers = std::make_unique<Strangers>(io.get_executor());
  Strangers::TicketPtr ticket = strangers->enter("10.0.0.1", nullptr);

  strangers.reset();

  bool expelled = false;
  ticket->expel_by([&](const std::string&) { expelled = true; });
  CHECK(expelled);
}

TEST_CASE("nobody is expelled early, and an empty doorstep wakes nobody", "[T8]") {
  Doorstep door;
  door.enter("10.0.0.1", "caller");

  door.io.run_for(50ms);
  CHECK(door.expelled.empty());
  door.tickets.clear();
  door.io.restart();
  door.io.poll();

  CHECK(door.strangers.size() == 0);
  CHECK(door.io.run_for(20ms) == 0);
}

TEST_CASE("a stranger may stay for 10 s after each of its steps, and for 30 s in all", "[T8]") {
  const Strangers::Time came{};

  CHECK(Strangers::deadline(came, came) == came + 10s);
  CHECK(Strangers::deadline(came, came + 9s) == came + 19s);
  CHECK(Strangers::deadline(came, came + 20s) == came + 30s);
  CHECK(Strangers::deadline(came, came + 29s) == came + 30s);
}

TEST_CASE("ten seconds after its last step a stranger is expelled, with the reason", "[T8][slow]") {
  boost::asio::io_context io;
  Strangers strangers(io.get_executor());
  auto began = std::chrono::steady_clock::now();
  std::vector<std::string> gone;
  std::vector<std::chrono::steady_clock::duration> times;
  auto expel = [&](const std::string& name) {
    return [&, name](const std::string& why) {
      gone.push_back(name + ": " + why);
      times.push_back(std::chrono::steady_clock::now() - began);
    };
  };
  Strangers::TicketPtr first = strangers.enter("10.0.0.1", expel("first"));
  Strangers::TicketPtr idle = strangers.enter("10.0.0.1", expel("idle"));
  boost::asio::steady_timer step(io, 3s);
  step.async_wait([&](boost::system::error_code) { first->take_step(); });

  while (gone.size() < 2 && io.run_one_for(60s) > 0) continue;

  REQUIRE(gone.size() == 2);
  CHECK(gone[0].find("idle: it did not prove who it is: a step took more than 10 s") == 0);
  CHECK(times[0] >= 9900ms);
  CHECK(gone[1].find("first") == 0);
  CHECK(times[1] >= 12900ms);
}

// Those who have come through a network door and have not proved who they are.
//
// From the moment of accept() on each has 10 seconds for its next step, and 30 in all:
// TLS, the HTTP request, naming a credential that is known, proving to have it. A link
// with seconds of delay needs as long; whoever only connects, or sends a byte a second,
// takes no step. There may be 256 of them, 32 from one address; beyond that the oldest
// goes, those first who have not named a credential that is known, so that nobody can
// keep out those who belong here.
#pragma once

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <string>

namespace tenkai {

class Strangers {
 public:
  static constexpr std::size_t max_half_open = 256;
  static constexpr std::size_t max_per_address = 32;
  static constexpr std::chrono::seconds step_limit{10};
  static constexpr std::chrono::seconds time_limit{30};

  // A stranger's place; it is free again when the last copy of the pointer is gone.
  class Ticket;
  using TicketPtr = std::shared_ptr<Ticket>;
  // Ends the stranger's connection. Called at most once, from the event loop or
  // from enter().
  using Expel = std::function<void(const std::string& why)>;

  using Time = std::chrono::steady_clock::time_point;
  // Until when one may stay that has come at `entered` and taken its last step at `step`.
  static constexpr Time deadline(Time entered, Time step) {
    return std::min(step + step_limit, entered + time_limit);
  }

  explicit Strangers(boost::asio::any_io_executor executor) : timer_(executor) {}
  // Tickets may outlive this.
  ~Strangers();
  Strangers(const Strangers&) = delete;
  Strangers& operator=(const Strangers&) = delete;

  // `address` without the port.
  TicketPtr enter(std::string address, Expel expel);
  // There is no room for whoever comes next. False: nobody is here who could go.
  bool expel_oldest();
  std::size_t size() const { return all_.size(); }

  class Ticket {
   public:
    ~Ticket();
    // The connection has another shape now (TCP, TLS, WebSocket).
    void expel_by(Expel expel);
    // It has come one step further.
    void take_step();
    // It has named a credential that we know.
    void is_promising() {
      promising_ = true;
      take_step();
    }

   private:
    friend class Strangers;
    Strangers* home_ = nullptr;
    std::list<Ticket*>::iterator place_;
    std::string address_;
    Time entered_;
    Time until_;
    Expel expel_;
    bool promising_ = false;
  };

 private:
  Ticket* oldest(const std::function<bool(const Ticket&)>& counts) const;
  void make_room(const std::string& address);
  void expel(Ticket& ticket, const std::string& why);
  void leave(Ticket& ticket);
  Ticket* next_to_go() const;
  void arm();

  boost::asio::steady_timer timer_;
  std::list<Ticket*> all_;  // oldest first
};

}  // namespace tenkai

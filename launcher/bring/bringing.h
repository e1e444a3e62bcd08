// Brings tenkai along to one machine: asks what is there, packs what is not, sends it, and
// tells where it lies there.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "launcher/bring/bring.h"
#include "launcher/plugin/messages.h"
#include "process/programs.h"

namespace tenkai::bring {

class Bringing {
 public:
  // Runs an expression of R on the other machine, with an input, and calls `on_end` once
  // with how that ended.
  using OnEnd = std::function<void(const JobReport&)>;
  using Run = std::function<void(std::string call, std::string input, OnEnd on_end)>;
  using OnDone = std::function<void(const Result<Brought>&)>;

  // `programs` outlives it. `folder`: one that the other machine sees, too, where it gets
  // no input; empty: it gets some. `on_done` is called once, and may be the last that is
  // heard of it.
  Bringing(Programs& programs, Offers offers, std::string folder, Run run, OnDone on_done);
  ~Bringing();
  Bringing(const Bringing&) = delete;

  void begin();

 private:
  void on_survey(const JobReport& report);
  void next();
  void pack(const std::string& filter, std::function<void(std::string)> then);
  void on_hash(const std::string& text);
  void send(std::string archive);
  void on_received(const JobReport& report);
  void take(const Parcel& parcel);
  void fail(const std::string& why);
  // What is called later finds out whether this is still there.
  template <class Function>
  auto alive(Function function);

  Programs& programs_;
  Offers offers_;
  std::string folder_;
  Run run_;
  OnDone on_done_;
  There there_;
  std::vector<Kind> wanted_;  // what is still to be brought, the next one last
  Parcel parcel_;
  Brought brought_;
  std::string packed_;
  pid_t packing_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace tenkai::bring

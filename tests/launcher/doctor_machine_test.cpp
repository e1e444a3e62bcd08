#include "launcher/doctor/machine_checks.h"

#include <cstdint>
#include <optional>
#include <string>

#include "tests/catch.h"
#include "tests/launcher/doctor_tables.h"

using namespace tenkai::doctor;

namespace {

Machine healthy() {
  Machine machine;
  Room home;
  home.what = "home";
  home.path = "/home/anna";
  home.least = std::uint64_t{100} << 20;
  home.bytes = std::uint64_t{1} << 40;
  home.files = 1000000;
  home.counts_files = home.is_known = home.is_writable = true;
  machine.rooms = {home};
  machine.open_files = 1024;
  machine.processes = 4096;
  machine.memory = std::uint64_t{8} << 30;
  machine.processors = 4;
  machine.daemons = 4;
  return machine;
}

template <class Change>
std::string bad_with(Change change) {
  Machine machine = healthy();
  change(machine);
  return bad_of(judge_machine(machine));
}

}  // namespace

TEST_CASE("a healthy machine has nothing to complain of") {
  CHECK(bad_with([](Machine&) {}).empty());
  CHECK(bad_with([](Machine& it) {
          it.open_files = it.processes = it.memory = std::nullopt;
          it.threads = 4;
          it.rooms[0].counts_files = false;
        }).empty());
}

TEST_CASE("each want of a machine has its check") {
  CHECK(bad_with([](Machine& it) { it.temporary_trouble = "full"; }) == "machine.temporary wrong;");
  CHECK(bad_with([](Machine& it) { it.rooms[0].is_writable = false; }) == "machine.room wrong;");
  CHECK(bad_with([](Machine& it) { it.rooms[0].is_needed = it.rooms[0].is_writable = false; }) ==
        "machine.room warning;");
  CHECK(bad_with([](Machine& it) { it.rooms[0].bytes = 1; }) == "machine.room warning;");
  CHECK(bad_with([](Machine& it) { it.rooms[0].files = 3; }) == "machine.room warning;");
  CHECK(bad_with([](Machine& it) { it.rooms[0].is_known = false; }) == "machine.room skipped;");
  CHECK(bad_with([](Machine& it) { it.open_files = 50; }) == "machine.open_files wrong;");
  CHECK(bad_with([](Machine& it) {
          it.daemons = 2000;
          it.here = false;
        }) == "machine.open_files wrong;");
  CHECK(bad_with([](Machine& it) { it.processes = 10; }) == "machine.processes wrong;");
  CHECK(bad_with([](Machine& it) { it.processor_seconds = 1800; }) == "machine.cpu_time warning;");
  CHECK(bad_with([](Machine& it) { it.memory = std::uint64_t{200} << 20; }) == "machine.memory warning;");
  CHECK(bad_with([](Machine& it) { it.address_space = std::uint64_t{200} << 20; }) ==
        "machine.memory warning;");
  CHECK(bad_with([](Machine& it) { it.threads = 8; }) == "machine.processors warning;");
  CHECK(bad_with([](Machine& it) { it.container = "image.sif"; }) == "machine.container skipped;");
}

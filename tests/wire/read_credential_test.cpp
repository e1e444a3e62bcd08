// Where a credential is read from: descriptors of every kind, and files.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "base/descriptor.h"
#include "tests/catch.h"
#include "tests/wire/temporary_folder.h"
#include "wire/credential.h"
#include "wire/private_file.h"

using namespace tenkai;
using namespace std::chrono_literals;

namespace {

std::string line() {
  Credential credential;
  for (std::size_t i = 0; i < Secret::length; ++i) {
    credential.token.data()[i] = static_cast<unsigned char>(200 + i);
  }
  credential.urls = {"wss://login1:37955/1"};
  return encode(credential);
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

bool is_open(int descriptor) { return ::fcntl(descriptor, F_GETFD) != -1; }

struct Outcome {
  std::string refusal;  // empty where there was a credential
  std::chrono::steady_clock::duration took{};
};

Outcome read(const std::string& source, std::chrono::milliseconds limit = 5s) {
  auto before = std::chrono::steady_clock::now();
  Result<Credential> credential = read_credential(source, limit);
  Outcome outcome;
  outcome.took = std::chrono::steady_clock::now() - before;
  if (!credential) outcome.refusal = credential.error().message;
  if (credential) CHECK(encode(*credential) == line());
  return outcome;
}

// As read(), but the descriptor becomes the one of the source, which closes it.
Outcome read(Descriptor descriptor, std::chrono::milliseconds limit = 5s) {
  int number = descriptor.release();
  Outcome outcome = read("fd:" + std::to_string(number), limit);
  CHECK_FALSE(is_open(number));
  return outcome;
}

struct Pipe {
  Descriptor reader;
  Descriptor writer;

  Pipe() {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    reader = Descriptor(ends[0]);
    writer = Descriptor(ends[1]);
  }
  explicit Pipe(std::string_view text) : Pipe() { write(text); }
  void write(std::string_view text) const {
    REQUIRE(::write(writer.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
};

// A failed REQUIRE must not go on with the other tests in the child.
bool holds(const std::function<bool()>& body) {
  try {
    return body();
  } catch (...) {
    return false;
  }
}

// Runs `body` in a child, whose standard streams are its own to spoil.
bool in_child(const std::function<bool()>& body) {
  pid_t child = ::fork();
  if (child == 0) std::_Exit(holds(body) ? 0 : 1);
  int status = 0;
  return child > 0 && ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

TEST_CASE("a credential is read from a pipe that ends") {
  for (const std::string& text : {line(), line() + "\n", "\n  " + line() + "\r\n"}) {
    Pipe pipe(text);
    pipe.writer = Descriptor();

    CHECK(read(std::move(pipe.reader)).refusal.empty());
  }
}

TEST_CASE("the line end ends a credential, whether or not the source does") {
  Pipe open(line() + "\n");
  Pipe talkative(line() + "\nand more\n");

  CHECK(read(std::move(open.reader), 1min).refusal.empty());
  CHECK(read(std::move(talkative.reader), 1min).refusal.empty());
}

TEST_CASE("a wrapped credential is read on behind its line ends") {
  Pipe pipe("\n" + line().substr(0, 60) + "\n" + line().substr(60, 60) + "\n" + line().substr(120) + "\n");

  CHECK(read(std::move(pipe.reader), 1min).refusal.empty());
}

TEST_CASE("a credential may come in pieces") {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
  Descriptor reader(ends[0]);
  Descriptor writer(ends[1]);
  // Each is read on its own, as a pipe's would be that is written to slowly.
  for (char c : line() + "\n") REQUIRE(::send(writer.get(), &c, 1, MSG_NOSIGNAL) == 1);

  CHECK(read(std::move(reader), 1min).refusal.empty());
}

TEST_CASE("a credential is read from a file that a shell has opened") {
  TemporaryFolder folder;
  REQUIRE(write_private_file(folder / "here-document", line() + "\n").has_value());

  CHECK(read(Descriptor(::open((folder / "here-document").c_str(), O_RDONLY))).refusal.empty());
}

TEST_CASE("a source that never ends is given up in time") {
  Pipe silent;
  Pipe halting(line().substr(0, 40));
  Pipe complete(line());

  Outcome nothing = read(std::move(silent.reader), 20ms);
  Outcome part = read(std::move(halting.reader), 20ms);

  CHECK(contains(nothing.refusal, "nothing came within 20 ms"));
  CHECK(contains(part.refusal, "only the beginning of a credential came within 20 ms"));
  CHECK(nothing.took >= 20ms);
  CHECK(nothing.took < 5s);
  // All is there but the line end.
  CHECK(read(std::move(complete.reader), 20ms).refusal.empty());
}

TEST_CASE("what begins like no credential is refused at once") {
  Pipe words("password");
  Pipe zeros(std::string(1, '\0'));

  CHECK(contains(read(std::move(words.reader), 1min).refusal, "no credential"));
  CHECK(contains(read(std::move(zeros.reader), 1min).refusal, "no credential"));
  CHECK(contains(read(Descriptor(::open("/dev/zero", O_RDONLY)), 1min).refusal, "no credential"));
}

TEST_CASE("no more is read than a credential can be long") {
  TemporaryFolder folder;
  REQUIRE(write_private_file(folder / "spaces", std::string(60'000, '\n')).has_value());
  REQUIRE(write_private_file(folder / "letters", "dGVua2Fp" + std::string(60'000, 'A')).has_value());

  for (std::string name : {"spaces", "letters"}) {
    Descriptor file(::open((folder / name).c_str(), O_RDONLY));
    Descriptor same(::dup(file.get()));

    CHECK(contains(read(std::move(file)).refusal, "longer than"));
    CHECK(::lseek(same.get(), 0, SEEK_CUR) == max_credential + 1);
  }
}

TEST_CASE("a descriptor that is closed, empty or unreadable says what to do") {
  Pipe empty;
  empty.writer = Descriptor();
  TemporaryFolder folder;

  CHECK(contains(read(std::move(empty.reader)).refusal, "it ended before a credential came"));
  CHECK(contains(read(Descriptor(::open(folder.path().c_str(), O_RDONLY))).refusal, "Is a directory"));
  CHECK(contains(read(Descriptor(::open("/dev/null", O_WRONLY))).refusal, "Bad file descriptor"));
  std::string closed = read("fd:60000").refusal;
  CHECK(contains(closed, "no credential from fd:60000: nothing is open there"));
  CHECK(contains(closed, "60000<<'TENKAI'"));
}

TEST_CASE("a terminal is refused, and left to who sits at it") {
  Descriptor terminal(::posix_openpt(O_RDWR | O_NOCTTY));
  if (!terminal) return;

  Outcome outcome = read("fd:" + std::to_string(terminal.get()), 1min);

  CHECK(contains(outcome.refusal, "this is a terminal"));
  CHECK(is_open(terminal.get()));
}

TEST_CASE("the standard input is /dev/null after a credential has come from it") {
  for (std::string source : {"stdin", "fd:0"}) {
    CHECK(in_child([&] {
      Pipe pipe(line() + "\nthe rest");
      ::dup2(pipe.reader.get(), STDIN_FILENO);
      Result<Credential> credential = read_credential(source);
      struct stat input {};
      struct stat null {};
      char rest;
      return credential.has_value() && ::fstat(STDIN_FILENO, &input) == 0 &&
             ::stat("/dev/null", &null) == 0 && input.st_rdev == null.st_rdev &&
             ::read(STDIN_FILENO, &rest, 1) == 0;
    }));
  }
}

TEST_CASE("the standard input is /dev/null after no credential has come from it") {
  CHECK(in_child([] {
    Pipe pipe("hello");
    ::dup2(pipe.reader.get(), STDIN_FILENO);
    Result<Credential> credential = read_credential("stdin");
    char rest;
    return !credential && contains(credential.error().message, "no credential from stdin: ") &&
           ::read(STDIN_FILENO, &rest, 1) == 0;
  }));
}

TEST_CASE("a closed standard input is refused") {
  CHECK(in_child([] {
    ::close(STDIN_FILENO);
    Result<Credential> credential = read_credential("stdin");
    return !credential && contains(credential.error().message, "write the credential to the standard input");
  }));
}

TEST_CASE("the standard output is no place to read from") {
  for (const char* source : {"fd:1", "fd:2"}) CHECK_FALSE(read(source).refusal.empty());

  CHECK(is_open(STDOUT_FILENO));
  CHECK(is_open(STDERR_FILENO));
}

TEST_CASE("a credential is read from a private file, wrapped or not") {
  TemporaryFolder folder;
  REQUIRE(write_private_file(folder / "whole", line()).has_value());
  REQUIRE(write_private_file(folder / "wrapped", line().substr(0, 60) + "\n" + line().substr(60) + "\n")
              .has_value());
  REQUIRE(write_private_file(folder / "other", "hello").has_value());
  REQUIRE(write_private_file(folder / "open", line()).has_value());
  REQUIRE(::chmod((folder / "open").c_str(), 0644) == 0);

  CHECK(read("@" + folder / "whole").refusal.empty());
  CHECK(read("@" + folder / "wrapped").refusal.empty());
  CHECK(contains(read("@" + folder / "other").refusal, "no credential from @" + folder / "other"));
  CHECK(contains(read("@" + folder / "open").refusal, "chmod 600"));
  CHECK(contains(read("@").refusal, "names no file"));
}

TEST_CASE("what is no source is refused without being repeated") {
  for (std::string source :
       {"", "fd:", "fd:-1", "fd:x", "fd: 3", "fd:3x", "fd:99999999999", "3", "hunter2"}) {
    INFO(source);
    std::string refusal = read(source).refusal;
    CHECK(contains(refusal, "is a place to read the credential from"));
    CHECK_FALSE(contains(refusal, "hunter2"));
  }
  std::string refusal = read(line()).refusal;
  CHECK(contains(refusal, "was given the credential itself"));
  CHECK_FALSE(contains(refusal, line().substr(0, 20)));
}

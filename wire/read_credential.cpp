#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/descriptor.h"
#include "base/text.h"
#include "wire/credential.h"
#include "wire/file_refusal.h"
#include "wire/private_file.h"

namespace tenkai {

namespace {

using Clock = std::chrono::steady_clock;

// What is no source may be the credential itself, so it is not repeated.
Error no_source(std::string_view source) {
  if (source.starts_with("dGVua2Fp")) {
    return Error{
        "credential = was given the credential itself, which everybody on this machine could read in the "
        "list of "
        "processes. Make another one (saisei()), and give \"fd:3\", \"stdin\" or \"@path\", the place to "
        "read it "
        "from"};
  }
  return Error{
      "credential = is a place to read the credential from: \"fd:3\" (an inherited descriptor, and not 1 or "
      "2), "
      "\"stdin\", or \"@path\""};
}

std::optional<int> descriptor_of(std::string_view source) {
  if (source == "stdin") return STDIN_FILENO;
  if (!source.starts_with("fd:")) return std::nullopt;
  std::optional<unsigned short> number = to_number<unsigned short>(source.substr(3));
  if (!number || *number == STDOUT_FILENO || *number == STDERR_FILENO) return std::nullopt;
  return *number;
}

std::string hint_for(int number) {
  if (number == STDIN_FILENO) return "write the credential to the standard input of the command";
  return "end the command with " + std::to_string(number) +
         "<<'TENKAI', then a line with the credential, then a line with TENKAI, as launch_remote() prints it";
}

// Nobody gets the number of stdin by opening a file.
void give_back(Descriptor descriptor) {
  if (descriptor.get() != STDIN_FILENO) return;
  Descriptor null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (null && ::dup2(null.get(), STDIN_FILENO) == STDIN_FILENO) (void)descriptor.release();
}

// Whether there is something to read, an end, or an error, before the deadline.
bool wait_for(int descriptor, Clock::time_point deadline) {
  while (true) {
    auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd wait{descriptor, POLLIN, 0};
    int ready = ::poll(&wait, 1, static_cast<int>(std::clamp<long>(left, 0, 60'000)));
    if (ready != 0 && !(ready < 0 && errno == EINTR)) return true;
    if (left <= 0) return false;
  }
}

// Whether the last line has come; then it is taken off.
bool cut_at_end(std::string& lines) {
  static constexpr std::string_view last = "end\n";
  std::size_t at = lines.starts_with(last) ? 0 : lines.find("\nend\n");
  if (at == lines.npos) return false;
  lines.erase(at == 0 ? 0 : at + 1);
  return true;
}

// Reads one credential from something that may be anything.
class Reading {
 public:
  Reading(int descriptor, std::chrono::milliseconds limit)
      : descriptor_(descriptor), limit_(limit), deadline_(Clock::now() + limit) {}

  // The line, and the lines behind it.
  Result<LaunchManifest> run_to_the_end() {
    Result<Credential> credential = run();
    if (!credential) return credential.error();
    LaunchManifest manifest{std::move(*credential), std::move(behind_)};
    while (true) {
      if (cut_at_end(manifest.lines)) return manifest;
      if (manifest.lines.size() > max_manifest)
        return complaint("the launch manifest behind the credential has more than 1 MiB");
      char piece[4096];
      if (!wait_for(descriptor_, deadline_))
        return complaint("the launch manifest behind the credential did not end in time");
      ssize_t size = ::read(descriptor_, piece, sizeof piece);
      if (size < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (size <= 0) return complaint("the launch manifest behind the credential is cut off");
      manifest.lines.append(piece, static_cast<std::size_t>(size));
    }
  }

  Result<Credential> run() {
    while (true) {
      if (!wait_for(descriptor_, deadline_)) return on_time_out();
      // One more than there may be, so that too much can be seen.
      char piece[max_credential + 1];
      ssize_t size = ::read(descriptor_, piece, sizeof piece - text_.text.size());
      bool again = size < 0 && (errno == EINTR || errno == EAGAIN);
      if (again && Clock::now() >= deadline_) return on_time_out();
      if (again) continue;
      if (size < 0) return complaint("it cannot be read (" + reason(errno) + ")");
      if (size == 0) return on_end();
      text_.text.append(piece, static_cast<std::size_t>(size));
      OPENSSL_cleanse(piece, static_cast<std::size_t>(size));
      if (std::optional<Result<Credential>> outcome = on_text()) return std::move(*outcome);
    }
  }

 private:
  // A line end ends the credential, unless a wrapped one goes on behind it.
  std::optional<Result<Credential>> on_text() {
    if (!may_begin_credential(text_.text)) return parse_credential(text_.text);
    for (std::size_t end; (end = text_.text.find('\n', looked_at_)) != std::string::npos;
         looked_at_ = end + 1) {
      Result<Credential> credential = parse_credential(std::string_view(text_.text).substr(0, end));
      if (credential) behind_ = text_.text.substr(end + 1);
      if (credential) return credential;
    }
    looked_at_ = text_.text.size();
    if (text_.text.size() > max_credential) return parse_credential(text_.text);
    return std::nullopt;
  }

  Result<Credential> on_end() const {
    if (trim(text_.text).empty()) return complaint("it ended before a credential came");
    return parse_credential(text_.text);
  }

  Result<Credential> on_time_out() const {
    std::string within = " came within " + std::to_string(limit_.count()) + " ms";
    if (trim(text_.text).empty()) return complaint("nothing" + within);
    Result<Credential> credential = parse_credential(text_.text);
    if (credential) return credential;
    return complaint("only the beginning of a credential" + within);
  }

  Error complaint(const std::string& fact) const { return Error{fact + "; " + hint_for(descriptor_)}; }

  int descriptor_;
  std::chrono::milliseconds limit_;
  Clock::time_point deadline_;
  SecretText text_{max_credential + 1};
  std::string behind_;  // what was read beyond the credential
  std::size_t looked_at_ = 0;
};

// What `read` makes of an inherited descriptor, which is ours from then on.
template <class Value, class Read>
Result<Value> from_descriptor(int number, std::chrono::milliseconds limit, Read read) {
  if (::fcntl(number, F_GETFD) < 0) return Error{"nothing is open there; " + hint_for(number)};
  if (::isatty(number) != 0) {
    return Error{"this is a terminal, where a credential would stay to be seen; " + hint_for(number)};
  }
  Descriptor descriptor(number);
  Reading reading(number, limit);
  Result<Value> value = (reading.*read)();
  give_back(std::move(descriptor));
  return value;
}

Result<Credential> from_file(const std::string& path) {
  Result<std::string> text = read_private_file(path);
  if (!text) return text.error();
  Result<Credential> credential = parse_credential(*text);
  wipe(*text);
  return credential;
}

Result<LaunchManifest> manifest_from_file(const std::string& path) {
  Result<std::string> text = read_private_file(path);
  if (!text) return text.error();
  std::size_t end = std::min(text->find('\n'), text->size());
  Result<Credential> credential = parse_credential(std::string_view(*text).substr(0, end));
  std::string lines = text->substr(std::min(end + 1, text->size()));
  wipe(*text);
  if (!credential) return credential.error();
  if (!cut_at_end(lines)) return Error{"the launch manifest in " + path + " is cut off"};
  return LaunchManifest{std::move(*credential), std::move(lines)};
}

// Where `source` names a place, what the one or the other has found there.
template <class Value, class FromFile, class Read>
Result<Value> from_source(const std::string& source, std::chrono::milliseconds limit, FromFile file,
                          Read read) {
  std::optional<int> descriptor = descriptor_of(source);
  bool is_file = source.starts_with('@');
  if (!descriptor && !is_file) return no_source(source);
  Result<Value> value = is_file ? file(source.substr(1)) : from_descriptor<Value>(*descriptor, limit, read);
  if (value) return value;
  return Error{"no credential from " + printable(source) + ": " + value.error().message};
}

}  // namespace

Result<Credential> read_credential(const std::string& source, std::chrono::milliseconds limit) {
  return from_source<Credential>(source, limit, from_file, &Reading::run);
}

Result<LaunchManifest> read_launch_manifest(const std::string& source, std::chrono::milliseconds limit) {
  return from_source<LaunchManifest>(source, limit, manifest_from_file, &Reading::run_to_the_end);
}

}  // namespace tenkai

// The frame: what every two processes of tenkai say to each other.
//
//   header (48 bytes, little endian) | attributes | payload
//
// Attributes are small, typed by number and skippable: a reader that does not
// know one steps over it. The payload is opaque. docs/protocol.md lists who says
// what to whom. C++17 and nothing else, because the R package includes it.
//
// FrameReader is a push parser: it is given bytes as they come and hands out
// whole frames. A large payload is read straight into its final place: room()
// names where the next bytes should go, and commit() says how many came.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace tenkai {

inline constexpr std::uint16_t frame_magic = 0x6B54;  // "Tk"
inline constexpr std::uint8_t frame_version = 1;
inline constexpr std::size_t header_size = 48;

// The largest block of attributes, and the most that an unknown peer may send
// in one frame before it has been welcomed.
inline constexpr std::size_t max_attributes = 64 * 1024;
inline constexpr std::size_t max_greeting = 4 * 1024;
// The largest payload of all, 64 GiB; memory budgets are the real limit.
inline constexpr std::uint64_t max_payload = std::uint64_t{1} << 36;
// Where the payload of a frame is.
inline constexpr std::uint32_t in_line = 0;  // behind the attributes
inline constexpr std::uint32_t in_file = 1;  // in a memory file, whose descriptor came with the head
// Payloads of this size and more are passed as memory files on one machine.
inline constexpr std::size_t file_size = 1024 * 1024;
// Payloads above this travel between dispatcher and agent in segments of it.
inline constexpr std::size_t segment_size = 1024 * 1024;

enum class Type : std::uint8_t {
  hello = 1,    // dialler → listener: who I am
  welcome,      // listener → dialler: you are in
  refused,      // either way: no, and why; the connection ends
  setup,        // session → dispatcher: the configuration
  ready,        // dispatcher → session: the answer to setup
  submit,       // session → dispatcher: a task
  everywhere,   // session → dispatcher: an expression for each daemon
  cancel,       // session → dispatcher → agent: stop this task
  resolved,     // dispatcher → session: the one answer to a task
  request,      // session → dispatcher: status, saisei, launch, await
  reply,        // dispatcher → session: the answer to a request
  note,         // dispatcher → session: something the user should be told
  join,         // agent → dispatcher: this daemon is up
  left,         // agent → dispatcher: this daemon has ended, and how
  task,         // dispatcher → daemon: evaluate this
  finished,     // daemon → dispatcher: the value
  ack,          // dispatcher → agent: the value has arrived, forget it
  ping,         // either way between machines: still there?
  pong,
  bye,          // either way: I end this on purpose
  segment,      // a piece of the payload of stream `stream`
  recall,       // reserved: give back a task that has not started
  recalled,     // reserved
  fd,           // reserved: the payload is a passed memory file
  resume,       // reserved
  last_type = resume,
};

enum class Role : std::uint8_t { session = 1, daemon, agent, viewer };

// The number of an attribute. Numbers are never used again for something else.
enum class Key : std::uint16_t {
  role = 1,        // u64, a Role
  version = 2,     // text, tenkai's version
  url = 3,         // text
  instance = 4,    // 16 bytes, chosen by a daemon or an agent for its life
  pid = 5,         // u64
  host = 6,        // text
  message = 7,     // text for people
  code = 8,        // u64, an error value (19: connection reset)
  timeout_ms = 9,  // u64, from submission
  label = 10,      // text
  priority = 11,   // u64
  time_request_ms = 12,
  resources = 13,  // text
  rng_stream = 14,  // 7 × i32
  trace_parent = 15,
  kind = 16,         // u64: of a task (0 plain, 1 everywhere), of a request, of a cause
  last = 17,         // u64 1: the daemon takes no task after this one
  exit_code = 18,    // u64
  signal = 19,       // u64
  out_of_memory = 20,  // u64 1
  log_tail = 21,     // text, the last lines a daemon wrote
  memory_limit = 22,   // u64, bytes of payload a session may have unresolved
  slot = 23,         // u64, 1-based, as users see it
  name = 24,         // text, what a request asks for
  kill_after_ms = 25,  // u64
  failed = 26,       // u64 1: the value is an error
  library_version = 27,  // text, the R package's version
  heartbeat_ms = 28,
  grace_ms = 29,
};

struct Attribute {
  Key key;
  std::string value;
  bool operator==(const Attribute& other) const { return key == other.key && value == other.value; }
};

struct Frame {
  Type type{};
  std::uint64_t session = 0;
  std::uint64_t task = 0;
  std::uint32_t attempt = 0;
  std::uint32_t rank = 0;    // which of the daemons behind one connection
  std::uint32_t stream = 0;  // not 0: the payload follows in, or is, segments
  std::vector<Attribute> attributes;
  Payload payload;
  // With `stream` set and type not `segment`: how much the segments will bring.
  std::uint64_t announced = 0;

  Frame() = default;
  explicit Frame(Type of) : type(of) {}

  Frame& with(Key key, std::string_view text) & {
    attributes.push_back({key, std::string(text)});
    return *this;
  }
  Frame& with(Key key, std::uint64_t number) & {
    char bytes[8];
    for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>(number >> (8 * i));
    return with(key, std::string_view(bytes, 8));
  }
  Frame&& with(Key key, std::string_view text) && { return std::move(with(key, text)); }
  Frame&& with(Key key, std::uint64_t number) && { return std::move(with(key, number)); }

  const std::string* find(Key key) const {
    for (const Attribute& attribute : attributes) {
      if (attribute.key == key) return &attribute.value;
    }
    return nullptr;
  }
  std::string text(Key key) const {
    const std::string* value = find(key);
    return value ? *value : std::string();
  }
  // `otherwise` where it is missing or not 8 bytes long.
  std::uint64_t number(Key key, std::uint64_t otherwise = 0) const {
    const std::string* value = find(key);
    if (value == nullptr || value->size() != 8) return otherwise;
    std::uint64_t number = 0;
    for (std::size_t i = 8; i-- > 0;) number = number << 8 | static_cast<unsigned char>((*value)[i]);
    return number;
  }
};

namespace detail {

template <class Number>
void put(char*& at, Number number) {
  for (std::size_t i = 0; i < sizeof(Number); ++i) *at++ = static_cast<char>(number >> (8 * i));
}

template <class Number>
Number take(const char*& at) {
  Number number = 0;
  for (std::size_t i = 0; i < sizeof(Number); ++i) {
    number = static_cast<Number>(number | static_cast<Number>(static_cast<unsigned char>(*at++)) << (8 * i));
  }
  return number;
}

}  // namespace detail

// The parts of a header that stand at the same place in every frame.
inline char* put_header(char* at, const Frame& frame, std::uint32_t attributes, std::uint64_t payload,
                        std::uint32_t place = in_line) {
  detail::put(at, frame_magic);
  detail::put(at, frame_version);
  detail::put(at, static_cast<std::uint8_t>(frame.type));
  detail::put(at, attributes);
  detail::put(at, payload);
  detail::put(at, frame.session);
  detail::put(at, frame.task);
  detail::put(at, frame.attempt);
  detail::put(at, frame.rank);
  detail::put(at, frame.stream);
  detail::put(at, place);
  return at;
}

// The header of a segment whose payload is `size` bytes of some larger block.
inline std::string encode_segment_head(std::uint32_t stream, std::uint32_t rank, std::uint64_t size) {
  Frame frame(Type::segment);
  frame.stream = stream;
  frame.rank = rank;
  std::string head(header_size, '\0');
  put_header(head.data(), frame, 0, size);
  return head;
}

// Header and attributes of a frame, ready to be written before its payload. The
// attribute that would go beyond max_attributes is cut there, and what follows it
// is left out. It only happens to text for people, which goes last. `place` says
// where the payload is: behind the head, or in a file that is passed with it.
inline std::string encode_head(const Frame& frame, std::uint32_t place = in_line) {
  static_assert(max_attributes - 4 <= 0xFFFF, "the length of an attribute has 2 bytes");
  auto fitting = [](const Attribute& attribute, std::size_t used) {
    return std::min(attribute.value.size(), max_attributes - used - 4);
  };
  std::size_t attributes = 0;
  for (const Attribute& attribute : frame.attributes) {
    if (attributes + 4 > max_attributes) break;
    attributes += 4 + fitting(attribute, attributes);
  }
  std::string head(header_size + attributes, '\0');
  bool in_segments = frame.stream != 0 && frame.type != Type::segment;
  std::uint64_t payload = in_segments ? frame.announced : size_of(frame.payload);
  char* at = put_header(head.data(), frame, static_cast<std::uint32_t>(attributes), payload, place);
  std::size_t used = 0;
  for (const Attribute& attribute : frame.attributes) {
    if (used + 4 > max_attributes) break;
    std::size_t length = fitting(attribute, used);
    used += 4 + length;
    detail::put(at, static_cast<std::uint16_t>(attribute.key));
    detail::put(at, static_cast<std::uint16_t>(length));
    std::memcpy(at, attribute.value.data(), length);
    at += length;
  }
  return head;
}

// Reads frames from bytes that arrive in pieces.
class FrameReader {
 public:
  // `limit` bounds the payload of a frame that may be accepted; a stranger gets
  // max_greeting (which then also bounds its attributes), a welcomed peer more.
  explicit FrameReader(std::uint64_t limit = max_greeting) : limit_(limit) {}

  void set_limit(std::uint64_t limit) { limit_ = limit; }

  struct Room {
    char* data;
    std::size_t size;
  };

  // Where the next bytes should be read to. Valid until the next call of any kind.
  Room room() {
    if (body_ && body_->size() - filled_ >= staging_size) {
      return {body_->data() + filled_, body_->size() - filled_};
    }
    make_room();
    return {staging_.data() + end_, staging_.size() - end_};
  }

  // Says that `size` bytes were written to room(); calls take(Frame&&) for each
  // frame that is complete. Returns false when the bytes are not frames;
  // error() then says why, and the reader must not be used again.
  // take() may call set_limit(); it must not destroy the reader.
  template <class Take>
  bool commit(std::size_t size, Take&& take) {
    if (descriptors_.size() > max_descriptors) return fail("files came that no frame names");
    if (body_ && body_->size() - filled_ >= staging_size) {
      filled_ += size;
      if (filled_ == body_->size()) hand_out(take);
      return true;
    }
    end_ += size;
    return parse(take);
  }

  // The same for bytes that are already somewhere else. Copies them.
  template <class Take>
  bool feed(std::string_view bytes, Take&& take) {
    while (!bytes.empty()) {
      Room space = room();
      std::size_t size = std::min(space.size, bytes.size());
      std::memcpy(space.data, bytes.data(), size);
      bytes.remove_prefix(size);
      if (!commit(size, take)) return false;
    }
    return true;
  }

  // A descriptor that came with the bytes about to be committed; taken over. The
  // frame whose payload it is names it. More than a few that nobody has named
  // are an error.
  void push_descriptor(int descriptor) { descriptors_.push_back(Bytes::of_file(descriptor)); }

  const std::string& error() const { return error_; }
  // True between frames: an end of the connection here loses nothing.
  bool at_rest() const { return !body_ && begin_ == end_; }
  // Gives the memory for bytes on their way back while nothing is expected, and
  // nobody is reading into room().
  void shrink() {
    if (begin_ == end_) staging_ = Bytes();
  }

 private:
  // Each holds the largest head that its limit allows, and as much again. There
  // may be hundreds of strangers, and they have no right to our memory.
  static constexpr std::size_t staging_size = 128 * 1024;
  static constexpr std::size_t max_descriptors = 16;
  static constexpr std::size_t staging_size_for_strangers = 2 * (header_size + max_greeting);
  static_assert(staging_size >= header_size + max_attributes);

  // After this there is space behind end_: what waits there is less than one head,
  // and moves to the front before the rest becomes too small for another.
  void make_room() {
    if (begin_ == end_) begin_ = end_ = 0;
    std::size_t wanted = limit_ <= max_greeting ? staging_size_for_strangers : staging_size;
    if (staging_.size() < wanted) {
      Bytes larger(wanted);
      if (end_ > begin_) std::memcpy(larger.data(), staging_.data() + begin_, end_ - begin_);
      staging_ = std::move(larger);
    } else if (end_ > staging_.size() / 2 && begin_ > 0) {
      std::memmove(staging_.data(), staging_.data() + begin_, end_ - begin_);
    } else {
      return;
    }
    end_ -= begin_;
    begin_ = 0;
  }

  template <class Take>
  void hand_out(Take&& take) {
    frame_.payload = std::shared_ptr<const Bytes>(std::move(body_));
    body_ = nullptr;
    Frame whole = std::move(frame_);
    frame_ = Frame();
    take(std::move(whole));
  }

  bool fail(std::string why) {
    error_ = std::move(why);
    return false;
  }

  template <class Take>
  bool parse(Take&& take) {
    while (true) {
      if (body_ && !fill_body()) return true;
      if (body_) {
        hand_out(take);
        continue;
      }
      if (end_ - begin_ < 4) return true;
      if (!is_frame(staging_.data() + begin_)) return false;
      if (end_ - begin_ < header_size) return true;
      std::uint32_t attributes = 0;
      std::uint64_t payload = 0;
      if (!parse_header(attributes, payload)) return false;
      if (end_ - begin_ < header_size + attributes) return true;
      if (!parse_attributes({staging_.data() + begin_ + header_size, attributes})) return false;
      begin_ += header_size + attributes;
      bool in_segments = frame_.stream != 0 && frame_.type != Type::segment;
      frame_.announced = in_segments ? payload : 0;
      if (place_ == in_file) {
        if (!take_file(payload)) return false;
        hand_out(take);
      } else if (payload == 0 || in_segments) {
        hand_out(take);
      } else if (!make_body(payload)) {
        return false;
      }
    }
  }

  // The body takes what has been staged of it; true once it is whole.
  bool fill_body() {
    std::size_t size = std::min(body_->size() - filled_, end_ - begin_);
    if (size > 0) std::memcpy(body_->data() + filled_, staging_.data() + begin_, size);
    filled_ += size;
    begin_ += size;
    return filled_ == body_->size();
  }

  // The first four bytes tell a stranger of another kind, or of another version
  // whose header may be shorter than ours, before any more is waited for.
  bool is_frame(const char* at) {
    if (detail::take<std::uint16_t>(at) != frame_magic) return fail("these bytes are not a tenkai frame");
    std::uint8_t version = detail::take<std::uint8_t>(at);
    if (version != frame_version) {
      return fail("the other end speaks frame version " + std::to_string(version) + ", this one " +
                  std::to_string(frame_version));
    }
    std::uint8_t type = detail::take<std::uint8_t>(at);
    if (type == 0 || type > static_cast<std::uint8_t>(Type::last_type)) {
      return fail("unknown frame type " + std::to_string(type));
    }
    frame_.type = static_cast<Type>(type);
    return true;
  }

  // Nothing is allocated before every number of the header has been judged.
  bool parse_header(std::uint32_t& attributes, std::uint64_t& payload) {
    const char* at = staging_.data() + begin_ + 4;
    attributes = detail::take<std::uint32_t>(at);
    payload = detail::take<std::uint64_t>(at);
    frame_.session = detail::take<std::uint64_t>(at);
    frame_.task = detail::take<std::uint64_t>(at);
    frame_.attempt = detail::take<std::uint32_t>(at);
    frame_.rank = detail::take<std::uint32_t>(at);
    frame_.stream = detail::take<std::uint32_t>(at);
    bool segment = frame_.type == Type::segment;
    std::uint64_t limit = std::min<std::uint64_t>(limit_, segment ? segment_size : max_payload);
    if (attributes > std::min<std::uint64_t>(max_attributes, limit_)) {
      return fail("a frame announces " + std::to_string(attributes) + " bytes of attributes, over the limit");
    }
    if (payload > limit) {
      return fail("a frame announces a payload of " + std::to_string(payload) + " bytes, over the limit of " +
                  std::to_string(limit));
    }
    if (segment && frame_.stream == 0) return fail("a segment belongs to no stream");
    place_ = detail::take<std::uint32_t>(at);
    if (place_ > in_file) return fail("a frame says that its payload is at a place that does not exist");
    if (place_ == in_file && frame_.stream != 0) return fail("a payload is both in a file and in segments");
    return true;
  }

  // The file is checked before anybody maps it.
  bool take_file(std::uint64_t size) {
    if (descriptors_.empty()) return fail("a frame names a file that did not come with it");
    auto file = std::make_unique<Bytes>(std::move(descriptors_.front()));
    descriptors_.pop_front();
    try {
      if (!file->claim(static_cast<std::size_t>(size))) return fail("a passed file is not what its frame says");
    } catch (const std::bad_alloc&) {
      return fail("there is no memory for a payload of " + std::to_string(size) + " bytes");
    }
    body_ = std::move(file);
    return true;
  }

  // What a peer announces may be more than this machine has: that ends the
  // connection with it, not the process.
  bool make_body(std::uint64_t size) {
    try {
      body_ = std::make_unique<Bytes>(static_cast<std::size_t>(size));
    } catch (const std::bad_alloc&) {
      return fail("there is no memory for a payload of " + std::to_string(size) + " bytes");
    }
    filled_ = 0;
    return true;
  }

  bool parse_attributes(std::string_view bytes) {
    frame_.attributes.clear();
    while (!bytes.empty()) {
      if (bytes.size() < 4) return fail("an attribute is cut off");
      const char* at = bytes.data();
      std::uint16_t key = detail::take<std::uint16_t>(at);
      std::uint16_t length = detail::take<std::uint16_t>(at);
      bytes.remove_prefix(4);
      if (length > bytes.size()) return fail("an attribute is longer than its frame");
      frame_.attributes.push_back({static_cast<Key>(key), std::string(bytes.substr(0, length))});
      bytes.remove_prefix(length);
    }
    return true;
  }

  std::uint64_t limit_;
  Bytes staging_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  Frame frame_;
  std::unique_ptr<Bytes> body_;
  std::size_t filled_ = 0;
  std::uint32_t place_ = in_line;
  std::deque<Bytes> descriptors_;  // each a file of which only the descriptor counts
  std::string error_;
};

}  // namespace tenkai

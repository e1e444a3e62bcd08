// The frame: what every two processes of tenkai say to each other.
//
//   header (48 bytes, little endian) | attributes | payload
//
// Attributes are small, typed by number and skippable: a reader that does not
// know one steps over it. The payload is opaque. docs/protocol.md lists who says
// what to whom. C++17 and nothing else, because the R package includes it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
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
// The most that a task says in one frame.
inline constexpr std::size_t max_said = 128 * 1024;
// Payloads above this travel between dispatcher and agent in segments of it.
inline constexpr std::size_t segment_size = 1024 * 1024;

enum class Type : std::uint8_t {
  hello = 1,   // dialler → listener: who I am
  welcome,     // listener → dialler: you are in
  refused,     // either way: no, and why; the connection ends
  setup,       // session → dispatcher: the configuration
  ready,       // dispatcher → session: the answer to setup
  submit,      // session → dispatcher: a task
  everywhere,  // session → dispatcher: an expression for each daemon
  cancel,      // session → dispatcher → agent: stop this task
  resolved,    // dispatcher → session: the one answer to a task
  request,     // session → dispatcher: status, saisei, launch, await
  reply,       // dispatcher → session: the answer to a request
  note,        // dispatcher → session: something the user should be told
  join,        // agent → dispatcher: this daemon is up
  left,        // agent → dispatcher: this daemon has ended, and how
  task,        // dispatcher → daemon: evaluate this
  finished,    // daemon → dispatcher: the value
  ack,         // dispatcher → agent: the value has arrived, forget it
  ping,        // either way between machines: still there?
  pong,
  bye,      // either way: I end this on purpose
  segment,  // a piece of the payload of stream `stream`
  // 22 to 25 are given up
  challenge = 26,  // listener → dialler: prove that you have the credential; I have it
  proof,           // dialler → listener: my proof, and what I am
  map,             // session → dispatcher → daemon: what the elements of a map share
  elements,        // session → dispatcher: some elements of a map
  said,            // daemon → dispatcher → session: what a task says while it runs
  block,           // dispatcher → agent: a block that payloads share
  last_type = block,
};

// Whether a frame can have this type. No switch has to think of what is none of the enum.
constexpr bool is_type(std::uint8_t number) {
  bool given_up = number >= 22 && number <= 25;
  return number != 0 && number <= static_cast<std::uint8_t>(Type::last_type) && !given_up;
}

enum class Role : std::uint8_t { session = 1, daemon, agent, viewer };

// The number of an attribute. Numbers are never used again for something else: 11, 13, 14, 15,
// 25, 27 and 28 are given up.
enum class Key : std::uint16_t {
  role = 1,              // u64, a Role
  version = 2,           // text, tenkai's version
  url = 3,               // text
  instance = 4,          // 16 bytes, chosen by a daemon or an agent for its life
  pid = 5,               // u64
  host = 6,              // text
  message = 7,           // text for people
  code = 8,              // u64, an error value (19: connection reset)
  timeout_ms = 9,        // u64, from submission; of a piece of a map: when its rest is given back
  label = 10,            // text
  time_request_ms = 12,  // u64: how long the task may take, as its user says
  kind = 16,             // u64: which of several, by the type of the frame; the enums below
  last = 17,             // u64 1: the daemon takes no task after this one
  exit_code = 18,        // u64
  signal = 19,           // u64
  out_of_memory = 20,    // u64 1
  log_tail = 21,         // text, the last lines a daemon wrote
  memory_limit = 22,     // u64, bytes of payload a session may have unresolved
  slot = 23,             // u64, 1-based, as users see it
  name = 24,             // text, what a request asks for
  failed = 26,           // u64 1: the value is an error
  grace_ms = 29,
  credential = 30,    // 16 bytes, the id of a credential
  nonce = 31,         // 32 random bytes
  proof = 32,         // 32 bytes; the last attribute of its frame
  cpu_us = 33,        // u64, processor time that a task has used
  peak_kb = 34,       // u64, 1024 bytes: the most memory its R had meanwhile
  time_left_ms = 35,  // u64: until the job of a daemon ends
  wall_us = 36,       // u64, how long the evaluation of a task has taken
  count = 37,  // u64: so many tasks, from the frame's on: elements of a map, or answers to an everywhere()
  chunk = 38,  // u64: how many elements travel together, where the user says so
  interrupted = 39,  // u64 1: the evaluation of the last element was interrupted
  minimum = 40,      // u64: daemons that are waited for where there are fewer
  number = 41,       // u64: which of the frames SAID of an attempt this is, from 1 on
  blocks = 42,       // the shared blocks of the payload (base/shared_blocks.h)
  kept = 43,         // the same between machines: numbers of frames BLOCK (wire/kept_blocks.h)
  keeps = 44,        // u64: how many bytes of shared blocks an agent keeps
};

// What Key::kind says in a frame of that type; where it is missing, the first.
enum class TaskKind : std::uint64_t { plain, everywhere, elements };
enum class CancelKind : std::uint64_t {
  interrupt,      // the task
  kill,           // the R, in whose place comes another
  kill_for_good,  // the R; its job has no time for another
};
enum class LeftKind : std::uint64_t {
  ended,     // how, is in the frame
  goodbye,   // it ended after its BYE
  job_ends,  // the job of the agent is being ended; its R goes soon
  drains,    // that job ends soon: nothing new for all ranks of the agent, which are there still
  given_up,  // no other R is started at this rank
};
// To daemons and dispatchers: whether those go, too, that would stay (autoexit = FALSE).
enum class ByeKind : std::uint64_t { end, end_all };
// From an R: why it goes.
enum class GoneKind : std::uint64_t { connection_ended, idle_time, wall_time, max_tasks, dismissed = 5 };
enum class SaiseiKind : std::uint64_t { if_vacant, forced };

// The largest number that Key::kind may have in a frame of this type; of no meaning in others.
constexpr std::uint64_t last_kind(Type type) {
  switch (type) {
    case Type::task: return static_cast<std::uint64_t>(TaskKind::elements);
    case Type::cancel: return static_cast<std::uint64_t>(CancelKind::kill_for_good);
    case Type::left: return static_cast<std::uint64_t>(LeftKind::given_up);
    case Type::bye: return static_cast<std::uint64_t>(GoneKind::dismissed);  // and ByeKind
    case Type::request: return static_cast<std::uint64_t>(SaiseiKind::forced);
    case Type::hello:
    case Type::welcome:
    case Type::refused:
    case Type::setup:
    case Type::ready:
    case Type::submit:
    case Type::everywhere:
    case Type::resolved:
    case Type::reply:
    case Type::note:
    case Type::join:
    case Type::finished:
    case Type::ack:
    case Type::ping:
    case Type::pong:
    case Type::segment:
    case Type::challenge:
    case Type::proof:
    case Type::map:
    case Type::said:
    case Type::block:
    case Type::elements: break;
  }
  return UINT64_MAX;
}

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
  template <class Kind>
  Frame& with_kind(Kind kind) & {
    return with(Key::kind, static_cast<std::uint64_t>(kind));
  }
  template <class Kind>
  Frame&& with_kind(Kind kind) && {
    return std::move(with_kind(kind));
  }
  Frame&& with(Key key, std::string_view text) && { return std::move(with(key, text)); }
  Frame&& with(Key key, std::uint64_t number) && { return std::move(with(key, number)); }

  const std::string* find(Key key) const {
    for (const Attribute& attribute : attributes) {
      if (attribute.key == key) return &attribute.value;
    }
    return nullptr;
  }
  void forget(Key key) {
    auto is_it = [key](const Attribute& attribute) { return attribute.key == key; };
    attributes.erase(std::remove_if(attributes.begin(), attributes.end(), is_it), attributes.end());
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
  // One of the enums above, as it belongs to the type.
  template <class Kind>
  Kind kind() const {
    return static_cast<Kind>(number(Key::kind));
  }
};

// What the evaluation of a task has used, as its daemon measures it.
struct Usage {
  std::uint64_t cpu_us = 0;   // user and system, of its process and threads
  std::uint64_t peak_kb = 0;  // of memory that was resident, 1024 bytes each
  std::uint64_t wall_us = 0;  // by a clock that nobody sets

  bool is_known() const { return peak_kb > 0; }
};

// Each value on its way: its key in FINISHED and RESOLVED, its name in `m$usage`, and what R
// sees of it for each 1.
struct UsageField {
  std::uint64_t Usage::*value;
  Key key;
  const char* name;
  double unit;
};
inline constexpr UsageField usage_fields[] = {
    {&Usage::cpu_us, Key::cpu_us, "cpu", 1e-6},
    {&Usage::peak_kb, Key::peak_kb, "memory", 1024},
    {&Usage::wall_us, Key::wall_us, "seconds", 1e-6},
};

inline void put(Frame& frame, const Usage& usage) {
  for (const UsageField& field : usage_fields) frame.with(field.key, usage.*field.value);
}
inline Usage usage_in(const Frame& frame) {
  Usage usage;
  for (const UsageField& field : usage_fields) usage.*field.value = frame.number(field.key);
  return usage;
}

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

namespace detail {

// How much of an attribute's value still fits behind so many bytes of others.
inline std::size_t fitting(const Attribute& attribute, std::size_t used) {
  static_assert(max_attributes - 4 <= 0xFFFF, "the length of an attribute has 2 bytes");
  return std::min(attribute.value.size(), max_attributes - used - 4);
}

}  // namespace detail

// How long the head of this frame is: see encode_head().
inline std::size_t head_size(const Frame& frame) {
  std::size_t attributes = 0;
  for (const Attribute& attribute : frame.attributes) {
    if (attributes + 4 > max_attributes) break;
    attributes += 4 + detail::fitting(attribute, attributes);
  }
  return header_size + attributes;
}

// Writes the head to where there are head_size() bytes of room.
inline void put_head(char* at, const Frame& frame, std::uint32_t place = in_line) {
  auto attributes = static_cast<std::uint32_t>(head_size(frame) - header_size);
  bool in_segments = frame.stream != 0 && frame.type != Type::segment;
  std::uint64_t payload = in_segments ? frame.announced : size_of(frame.payload);
  at = put_header(at, frame, attributes, payload, place);
  std::size_t used = 0;
  for (const Attribute& attribute : frame.attributes) {
    if (used + 4 > max_attributes) break;
    std::size_t length = detail::fitting(attribute, used);
    used += 4 + length;
    detail::put(at, static_cast<std::uint16_t>(attribute.key));
    detail::put(at, static_cast<std::uint16_t>(length));
    std::memcpy(at, attribute.value.data(), length);
    at += length;
  }
}

// Says in an encoded head that the payload follows it after all.
template <class Head>
void put_in_line(Head& head) {
  char* at = head.data() + header_size - sizeof in_line;
  detail::put(at, in_line);
}

// Header and attributes of a frame, ready to be written before its payload. The
// attribute that would go beyond max_attributes is cut there, and what follows it
// is left out. It only happens to text for people, which goes last. `place` says
// where the payload is: behind the head, or in a file that is passed with it.
inline std::string encode_head(const Frame& frame, std::uint32_t place = in_line) {
  std::string head(head_size(frame), '\0');
  put_head(head.data(), frame, place);
  return head;
}

}  // namespace tenkai

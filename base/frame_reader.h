// Reads frames from bytes that arrive in pieces: the first thing that hostile
// bytes meet.
//
// FrameReader is a push parser: it is given bytes as they come and hands out
// whole frames. A large payload is read straight into its final place: room()
// names where the next bytes should go, and commit() says how many came.
//
// C++17 and nothing else, because the R package includes it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/frame.h"
#include "base/shared_blocks.h"

namespace tenkai {

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
  // frame whose payload it is, or in whose payload it has shared blocks, names it.
  // More than a few that nobody has named are an error. A file that has come before
  // and is still in use is the same Bytes.
  void push_descriptor(int descriptor) { descriptors_.push_back(Bytes::of_file(descriptor)); }

  const std::string& error() const { return error_; }
  // True between frames: an end of the connection here loses nothing.
  bool at_rest() const { return !body_ && begin_ == end_; }
  // Gives the memory for bytes on their way back while nothing is expected, and
  // nobody is reading into room(). The last block given back is used for whoever
  // needs one next: a thousand connections that are read one after the other then
  // share one block, which stays in the processor's cache.
  void shrink() {
    if (begin_ != end_) return;
    if (staging_.size() > spare().size()) spare() = std::move(staging_);
    staging_ = Bytes();
  }

 private:
  // Each holds the largest head that its limit allows, and as much again. There
  // may be hundreds of strangers, and they have no right to our memory.
  static constexpr std::size_t staging_size = 128 * 1024;
  static constexpr std::size_t max_descriptors = 16;
  static constexpr std::size_t staging_size_for_strangers = 2 * (header_size + max_greeting);
  static_assert(staging_size >= header_size + max_attributes);

  static Bytes& spare() {
    thread_local Bytes block;
    return block;
  }

  // After this there is space behind end_: what waits there is less than one head,
  // and moves to the front before the rest becomes too small for another.
  void make_room() {
    if (begin_ == end_) begin_ = end_ = 0;
    std::size_t wanted = limit_ <= max_greeting ? staging_size_for_strangers : staging_size;
    if (staging_.size() < wanted) {
      Bytes larger = spare().size() >= wanted ? std::exchange(spare(), Bytes()) : Bytes(wanted);
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
    frame_.payload = file_ ? std::exchange(file_, nullptr) : std::exchange(body_, nullptr);
    if (!blocks_.empty()) {
      frame_.payload =
          std::make_shared<const Bytes>(Bytes::with_blocks(std::move(frame_.payload), std::move(blocks_)));
      blocks_.clear();
    }
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
      if (place_ == in_file && !take_payload_file(payload)) return false;
      if (!take_blocks(payload)) return false;
      if (place_ == in_file || payload == 0 || in_segments) {
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
    if (!is_type(type)) return fail("unknown frame type " + std::to_string(type));
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

  bool take_payload_file(std::uint64_t size) {
    file_ = take_file(size);
    return file_ != nullptr;
  }

  // The file is checked before anybody maps it. Null where it was refused.
  std::shared_ptr<const Bytes> take_file(std::uint64_t size) {
    auto refuse = [this](std::string why) {
      fail(std::move(why));
      return nullptr;
    };
    if (descriptors_.empty()) return refuse("a frame names a file that did not come with it");
    auto file = std::make_shared<Bytes>(std::move(descriptors_.front()));
    descriptors_.pop_front();
    KnownFiles::Identity identity(file->file());
    if (std::shared_ptr<const Bytes> known = known_.find(identity); known && known->size() == size)
      return known;
    try {
      auto expected = static_cast<std::size_t>(size);
      if (!file->claim(expected)) return refuse("a passed file is not what its frame says");
      known_.add(identity, file);
    } catch (const std::bad_alloc&) {
      return refuse("there is no memory for a payload of " + std::to_string(size) + " bytes");
    }
    return file;
  }

  // The files of the blocks that the payload shares with others.
  bool take_blocks(std::uint64_t payload) {
    const std::string* value = frame_.find(Key::blocks);
    if (value == nullptr) return true;
    std::optional<BlockList> list = BlockList::in(*value);
    if (!list) return fail("a frame has shared blocks that do not lie in their files");
    if (payload == 0 || frame_.stream != 0) return fail("shared blocks came with no payload of their own");
    std::uint64_t rest = std::min<std::uint64_t>(limit_, max_payload) - payload;
    for (std::uint64_t size : list->files) {
      if (size > rest) return fail("the files of shared blocks are over the limit");
      rest -= size;
    }
    std::vector<std::shared_ptr<const Bytes>> files;
    for (std::uint64_t size : list->files) {
      files.push_back(take_file(size));
      if (files.back() == nullptr) return false;
    }
    for (const BlockList::Place& place : list->blocks)
      blocks_.push_back({files[static_cast<std::size_t>(place.file)], place.begin, place.size});
    // Whoever passes the frame on says it anew.
    frame_.forget(Key::blocks);
    return true;
  }

  // What a peer announces may be more than this machine has: that ends the
  // connection with it, not the process.
  bool make_body(std::uint64_t size) {
    try {
      body_ = std::make_shared<Bytes>(static_cast<std::size_t>(size));
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
    std::uint64_t kind = frame_.number(Key::kind);
    if (kind > last_kind(frame_.type)) return fail("unknown kind " + std::to_string(kind) + " of a frame");
    return true;
  }

  std::uint64_t limit_;
  Bytes staging_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  Frame frame_;
  std::shared_ptr<Bytes> body_;
  std::size_t filled_ = 0;
  std::shared_ptr<const Bytes> file_;  // with the payload of the frame that is read
  std::vector<SharedBlock> blocks_;    // ... and what it shares with others
  KnownFiles known_;
  std::uint32_t place_ = in_line;
  std::deque<Bytes> descriptors_;  // each a file of which only the descriptor counts
  std::string error_;
};

}  // namespace tenkai

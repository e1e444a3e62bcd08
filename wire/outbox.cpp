#include "wire/outbox.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "wire/kept_blocks.h"

namespace tenkai {

namespace {

// None where they are too many to go along, or one has moved into memory.
PassedFiles files_of(const Payload& payload) {
  PassedFiles files;
  std::vector<int> descriptors = descriptors_of(payload);
  if (descriptors.size() > std::size(files.descriptors)) return files;
  for (int descriptor : descriptors) files.descriptors[files.count++] = descriptor;
  return files;
}

}  // namespace

void Outbox::push(Frame frame) {
  // The elements of a map go out behind it, and must not pass what they share.
  bool may_be_passed = frame.type != Type::map;
  if (segmented_ && may_be_passed && has_shared_blocks(frame.payload)) give_blocks(frame);
  std::uint64_t size = size_with_blocks(frame.payload);
  waiting_ += size + header_size;
  if (segmented_ && may_be_passed && size > segment_size) open_stream(frame);
  Item item;
  if (!segmented_) item.files = files_of(frame.payload);
  bool shares = has_shared_blocks(frame.payload);
  if (shares && item.files.count == 0) {
    frame.payload = with_blocks_behind(frame.payload);
    shares = false;
  }
  if (shares) {
    item.whole = std::make_unique<Frame>(frame);
    frame.with(Key::blocks, BlockList::of(frame.payload->blocks()).bytes());
  }
  bool as_file = item.files.count > 0 && file_of(frame.payload) >= 0;
  item.head.resize(head_size(frame), boost::container::default_init);
  put_head(item.head.data(), frame, as_file ? in_file : in_line);
  item.size = as_file ? 0 : size_of(frame.payload);
  if (item.files.count > 0) waiting_ -= size - item.size;
  item.payload = std::move(frame.payload);
  waiting_ += item.head.size() - header_size;
  ready_.push_back(std::move(item));
}

// Files that the other end does not have go out before the frame, which names them. Where they are
// too much for it, the blocks stay behind the payload.
void Outbox::give_blocks(Frame& frame) {
  std::vector<std::shared_ptr<const Bytes>> files = shared_files(frame.payload);
  if (files.size() > max_shared_files) return;
  std::vector<SharedBlock> wholes;
  for (const auto& file : files) wholes.push_back({file, 0, file->size()});
  std::optional<std::vector<GivenBlocks::Given>> given = given_.give(wholes);
  if (!given) return;
  for (std::uint64_t number : given_.take_forgotten()) push(Frame(Type::block).with(Key::number, number));
  std::vector<std::uint64_t> numbers;
  for (std::size_t i = 0; i < files.size(); ++i) {
    numbers.push_back((*given)[i].number);
    if (!(*given)[i].is_new) continue;
    Frame block(Type::block);
    block.payload = files[i];
    push(std::move(block.with(Key::number, numbers.back())));
  }
  frame.with(Key::kept, BlockList::of(frame.payload->blocks()).bytes() + encode_numbers(numbers));
  frame.payload = frame.payload->own();
}

void Outbox::open_stream(Frame& frame) {
  frame.stream = ++last_stream_ == 0 ? ++last_stream_ : last_stream_;
  frame.announced = size_with_blocks(frame.payload);
  std::vector<std::string_view> pieces = pieces_with_blocks(frame.payload);
  streams_.push_back({frame.stream, frame.rank, std::move(frame.payload), std::move(pieces), 0, 0});
  frame.payload = nullptr;
}

void Outbox::cut_segment() {
  Stream& stream = streams_.front();
  std::string_view piece = stream.pieces[stream.next].substr(stream.sent);
  Item item;
  item.size = std::min(segment_size, piece.size());
  item.begin = piece.data();
  item.payload = stream.payload;
  std::string head = encode_segment_head(stream.id, stream.rank, item.size);
  item.head.assign(head.begin(), head.end());
  waiting_ += item.head.size();
  stream.sent += item.size;
  if (item.size == piece.size()) {
    ++stream.next;
    stream.sent = 0;
  }
  Stream next = std::move(stream);
  streams_.pop_front();
  if (next.next < next.pieces.size()) streams_.push_back(std::move(next));
  ready_.push_back(std::move(item));
}

std::size_t Outbox::gather(iovec* pieces, std::size_t most, std::size_t budget, PassedFiles& files) {
  files = {};
  std::size_t count = 0;
  std::size_t bytes = 0;
  for (std::size_t i = 0; count + 2 <= most && bytes < budget; ++i) {
    if (i == ready_.size()) {
      if (streams_.empty()) break;
      cut_segment();
    }
    Item& item = ready_[i];
    // The files of one frame at a time, and with its first byte.
    if (item.files.count > 0 && i > 0) break;
    if (written_ == 0) files = item.files;
    std::size_t skip = i == 0 ? written_ : 0;
    if (skip < item.head.size()) {
      pieces[count++] = {item.head.data() + skip, item.head.size() - skip};
      bytes += item.head.size() - skip;
      skip = item.head.size();
    }
    skip -= item.head.size();
    if (skip < item.size) {
      // iovec has no const; sendmsg() does not write.
      const char* begin = item.begin != nullptr ? item.begin : item.payload->data();
      char* data = const_cast<char*>(begin) + skip;
      // What is more than the budget goes out next time.
      std::size_t size = std::min(item.size - skip, budget - std::min(budget, bytes));
      if (size == 0) break;
      pieces[count++] = {data, size};
      bytes += size;
    }
    if (item.files.count > 0) break;
  }
  return count;
}

void Outbox::put_files_in_line() {
  Item& first = ready_.front();
  Payload whole = with_blocks_behind(first.payload);
  (void)whole->data();
  if (first.whole) {
    waiting_ -= first.head.size() + first.size;
    first.whole->payload = whole;
    first.head.resize(head_size(*first.whole), boost::container::default_init);
    put_head(first.head.data(), *first.whole);
    first.whole = nullptr;
    waiting_ += first.head.size();
  }
  put_in_line(first.head);
  first.payload = std::move(whole);
  first.files = {};
  first.size = first.payload->size();
  waiting_ += first.size;
}

void Outbox::consumed(std::size_t size) {
  waiting_ -= size;
  while (size > 0) {
    std::size_t left = ready_.front().total() - written_;
    if (size < left) {
      written_ += size;
      return;
    }
    size -= left;
    written_ = 0;
    ready_.pop_front();
  }
}

}  // namespace tenkai

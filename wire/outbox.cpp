#include "wire/outbox.h"

#include <algorithm>
#include <utility>

namespace tenkai {

void Outbox::push(Frame frame) {
  waiting_ += size_of(frame.payload) + header_size;
  if (segmented_ && size_of(frame.payload) > segment_size) {
    frame.stream = ++last_stream_ == 0 ? ++last_stream_ : last_stream_;
    frame.announced = frame.payload->size();
    streams_.push_back({frame.stream, frame.rank, std::move(frame.payload), 0});
    frame.payload = nullptr;
  }
  Item item;
  if (!segmented_) item.file = file_of(frame.payload);
  bool as_file = item.file >= 0;
  item.head.resize(head_size(frame), boost::container::default_init);
  put_head(item.head.data(), frame, as_file ? in_file : in_line);
  item.size = as_file ? 0 : size_of(frame.payload);
  if (as_file) waiting_ -= size_of(frame.payload);
  item.payload = std::move(frame.payload);
  waiting_ += item.head.size() - header_size;
  ready_.push_back(std::move(item));
}

void Outbox::cut_segment() {
  Stream& stream = streams_.front();
  Item item;
  item.begin = stream.sent;
  item.size = std::min(segment_size, stream.payload->size() - stream.sent);
  item.payload = stream.payload;
  std::string head = encode_segment_head(stream.id, stream.rank, item.size);
  item.head.assign(head.begin(), head.end());
  waiting_ += item.head.size();
  stream.sent += item.size;
  Stream next = std::move(stream);
  streams_.pop_front();
  if (next.sent < next.payload->size()) streams_.push_back(std::move(next));
  ready_.push_back(std::move(item));
}

std::size_t Outbox::gather(iovec* pieces, std::size_t most, std::size_t budget, int& file) {
  file = -1;
  std::size_t count = 0;
  std::size_t bytes = 0;
  for (std::size_t i = 0; count + 2 <= most && bytes < budget; ++i) {
    if (i == ready_.size()) {
      if (streams_.empty()) break;
      cut_segment();
    }
    Item& item = ready_[i];
    // One file at a time, and with the first byte of its frame.
    if (item.file >= 0 && i > 0) break;
    if (item.file >= 0 && written_ == 0) file = item.file;
    std::size_t skip = i == 0 ? written_ : 0;
    if (skip < item.head.size()) {
      pieces[count++] = {item.head.data() + skip, item.head.size() - skip};
      bytes += item.head.size() - skip;
      skip = item.head.size();
    }
    skip -= item.head.size();
    if (skip < item.size) {
      // iovec has no const; sendmsg() does not write.
      char* data = const_cast<char*>(item.payload->data()) + item.begin + skip;
      pieces[count++] = {data, item.size - skip};
      bytes += item.size - skip;
    }
    if (item.file >= 0) break;
  }
  return count;
}

void Outbox::put_file_in_line() {
  Item& first = ready_.front();
  (void)first.payload->data();
  first.file = -1;
  first.size = first.payload->size();
  waiting_ += first.size;
  put_in_line(first.head);
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

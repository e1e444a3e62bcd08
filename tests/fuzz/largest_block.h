// The largest block of memory that is asked for while one of these lives, by
// malloc() or new. Sanitizers tell; without one it stays 0.
#pragma once

#include <cstddef>

extern "C" __attribute__((weak)) int __sanitizer_install_malloc_and_free_hooks(
    void (*on_malloc)(const volatile void*, std::size_t), void (*on_free)(const volatile void*));

namespace tenkai {

class LargestBlock {
 public:
  LargestBlock() {
    static const bool installed = install();
    (void)installed;
    size_ = 0;
    watches_ = true;
  }
  ~LargestBlock() { watches_ = false; }
  LargestBlock(const LargestBlock&) = delete;
  LargestBlock& operator=(const LargestBlock&) = delete;

  std::size_t size() const { return size_; }

 private:
  static bool install() {
    if (__sanitizer_install_malloc_and_free_hooks == nullptr) return false;
    return __sanitizer_install_malloc_and_free_hooks(on_malloc, [](const volatile void*) {}) != 0;
  }
  static void on_malloc(const volatile void*, std::size_t size) {
    if (watches_ && size > size_) size_ = size;
  }

  static inline bool watches_ = false;
  static inline std::size_t size_ = 0;
};

}  // namespace tenkai

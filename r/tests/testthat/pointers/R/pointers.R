# A number that R cannot serialize; `class` comes before "pointer".
pointer <- function(x, class = NULL) .Call(ptr_make, x, c(class, "pointer"))

# An error where the pointer leads nowhere.
number <- function(pointer) .Call(ptr_number, pointer)

to_raw <- function(pointer) .Call(ptr_to_raw, pointer)
from_raw <- function(raw) .Call(ptr_from_raw, raw, "pointer")

# All at once.
all_to_raw <- function(pointers) serialize(vapply(pointers, number, 0), NULL)
all_from_raw <- function(raw) lapply(unserialize(raw), pointer)

# By printf(), which R knows nothing of.
print_in_c <- function(text) .Call(ptr_print, text)

# As packages do that change vectors in place.
set_first <- function(x, value) invisible(.Call(ptr_set_first, x, value))

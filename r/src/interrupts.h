// R's own switches for Ctrl-C. Declared here because R's headers only name them
// among the graphics devices.
#pragma once

#include <R_ext/Boolean.h>

extern "C" {
extern int R_interrupts_pending;
extern Rboolean R_interrupts_suspended;
}

#pragma once

#include "options.h"
#include "timing.h"

namespace espalier::cuda::bench {

/// The card and its libraries: one line of kind "header".
void printHeader(const Context& context, Scale scale);

/// What the card can do at best: copy bandwidth, reading from the second-level cache, gathering from shared
/// memory, dense products. One line of kind "ceiling" each.
void measureCeilings(Context& context, const Options& options);

}  // namespace espalier::cuda::bench

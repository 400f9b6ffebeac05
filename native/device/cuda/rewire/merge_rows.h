#pragma once

#include <cstdint>

#include "device/cuda/base/context.h"
#include "device/cuda/pattern/views.h"
#include "device/cuda/rewire/drop.h"
#include "device/cuda/rewire/rewire_state.h"

namespace espalier::cuda {

/// Merges the kept entries of each row of `csr` with the grown ones. columns: of the new entries, ascending
/// in each row; source: the old entry that each goes on from, or -1. Both have csr.entries numbers. New row r
/// begins at entry keptOffsets[r] + grown.offsets[r]. returned: gets added how many entries were dropped and
/// grown again; they go on from themselves where returnedKeepState says so.
void mergeRows(Context& context, const CsrArrays& csr, const Drops& drops, const Grown& grown,
               bool returnedKeepState, int32_t* columns, int32_t* source, unsigned long long* returned);

}  // namespace espalier::cuda

// From the placed model to a bundle (abi/bundle.h), in memory.
#pragma once

#include "bytes.h"
#include "files.h"
#include "model.h"

// `model` may be null: then init is all there is. The result is a whole number of pages, and the same every time.
struct bytes pack_bundle(struct arena *a, const struct model *model, const struct file *init);

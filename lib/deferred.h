// The one operation that the program has put off to its next wait. Private to lib.
#pragma once

// Does it, if there is one.
void bulkhead_deferred_flush(void);

// Identification of PrimeCell peripherals: Arm DDI 0183, section 3.3.16; the same in all of them. Eight registers at the
// end of the device's page hold a byte each, of these two words.
#pragma once

#define PRIMECELL_PERIPHERAL_ID 0xfe0u // + 4 * byte
#define PRIMECELL_CELL_ID       0xff0u // + 4 * byte
#define PRIMECELL_END           0x1000u

#define PRIMECELL_CELL_ID_VALUE 0xb105f00du

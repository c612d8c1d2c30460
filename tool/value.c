// See value.h.
#include "value.h"

#include <string.h>

#include <abi/syscall.h>

static int digit_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 16;
}

static bool read_digits(const char *text, unsigned base, bool underscores, uint64_t *out)
{
    uint64_t value = 0;
    unsigned digits = 0;
    for (; *text != '\0'; text++) {
        if (*text == '_' && underscores) {
            continue;
        }
        unsigned digit = (unsigned)digit_value(*text);
        if (digit >= base || value > (UINT64_MAX - digit) / base) {
            return false;
        }
        value = value * base + digit;
        digits++;
    }
    *out = value;
    return digits > 0;
}

bool value_number(const char *text, uint64_t *out)
{
    bool hexadecimal = strncmp(text, "0x", 2) == 0;
    return read_digits(text + (hexadecimal ? 2 : 0), hexadecimal ? 16 : 10, true, out);
}

bool value_size(const char *text, uint64_t *out)
{
    static const char units[] = "KMG";
    char digits[64] = {0};
    size_t length = strlen(text);
    const char *unit = length == 0 ? NULL : strchr(units, text[length - 1]);
    unsigned shift = unit == NULL ? 0 : 10 * (unsigned)(unit - units + 1);
    length -= unit != NULL;
    if (length >= sizeof(digits)) {
        return false;
    }
    memcpy(digits, text, length);
    uint64_t value;
    if (!value_number(digits, &value) || value > UINT64_MAX >> shift) {
        return false;
    }
    *out = value << shift;
    return true;
}

bool value_decimal(const char *text, uint64_t *out)
{
    return read_digits(text, 10, false, out);
}

bool value_perms(const char *text, uint64_t *out)
{
    static const char letters[] = "rwx"; // in the order of enum map_flags
    uint64_t perms = 0;
    for (; *text != '\0'; text++) {
        const char *letter = strchr(letters, *text);
        if (letter == NULL) {
            return false;
        }
        perms |= (uint64_t)MAP_READ << (letter - letters);
    }
    *out = perms;
    return perms != 0;
}

bool value_choice(const char *text, const char *words, uint64_t *out)
{
    size_t length = strlen(text);
    uint64_t index = 0;
    for (const char *word = words; *word != '\0'; index++) {
        size_t word_length = strcspn(word, " ");
        if (word_length == length && memcmp(word, text, length) == 0) {
            *out = index;
            return true;
        }
        word += word_length + strspn(word + word_length, " ");
    }
    return false;
}

import java.text.ParsePosition;
import java.text.SimpleDateFormat;
import java.time.Instant;
import java.util.Calendar;
import java.util.Date;
import java.util.GregorianCalendar;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Set;
import java.util.TimeZone;

/**
 * What java.text.SimpleDateFormat prints and reads, one tab-separated row each:
 *
 * <pre>
 * print  PATTERN  ZONE  MILLIS  TEXT
 * read   PATTERN  ZONE  TEXT    STRICT  LENIENT   (milliseconds, or ERROR)
 * zone   NAME     MILLIS        OFFSET_SECONDS
 * </pre>
 *
 * Run from the repository's root: java tests/java-dates/Vectors.java > tests/vectors/java-dates.tsv
 */
public class Vectors {
    /** POSIX's window for two digits, so that the rows don't depend on the day of the run. */
    static final int CENTURY_START = 1969;

    static final Set<String> rows = new LinkedHashSet<>();

    static final String[] ZONES = {
        "UTC", "America/New_York", "Asia/Kolkata", "Europe/London", "PST", "EST", "GMT-06:00",
    };

    static final String[] INSTANTS = {
        "2024-01-05T09:08:07.006Z", "2024-11-30T23:59:59.999Z", "1970-01-01T00:00:00Z", "2024-02-29T12:00:00.123Z",
    };

    /** The formats of the poller configurations. */
    static final String[] FORMATS = {
        "yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd'T'HH:mm:ss'Z'", "yyyy-MM-dd'T'HH:mm:ssXXX",
        "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", "yyyy-MM-dd'T'HH:mm:ss.SSSZ", "yyyy-MM-dd'T'HH:mm:ss.SSS",
        "yyyy-MM-dd'T'HH:mm:ss.SSSX", "EEE, dd MMM yyyy HH:mm:ss Z", "MM/dd/yyyy HH:mm:ss", "yyyy-MM-dd",
        "yyyy-MM-dd'T'HH:mmz", "yyyy-MM-dd'T'HH:mm:ssZ", "MM/dd/yyy'T'HH:mm:ssXXX", "yyyy-MM-dd HH:mm:ss -0800",
    };

    /** Letters and widths that read back what they print, or nearly. */
    static final String[] OTHERS = {
        "yyyyMMddHHmmssSSS", "yyyyMMdd", "yyMMdd", "yy-MM-dd", "y-M-d H:m:s.SSS", "yyyyy.MMMMM.dd GGG hh:mm aaa",
        "G yyyy", "GGGG yyyy", "yyyy MMM d", "yyyy MMMM d", "d LLL yyyy", "d LLLL yyyy", "dd-MMM-yy", "dd-MMM-yyyy hh:mm:ss a",
        "MMM dd, yyyy h:mm:ss a", "yyyy-MM-dd K:mm a", "yyyy-MM-dd KK:mm a", "yyyy-MM-dd kk:mm", "yyyy-MM-dd k:mm", "yyyy-DDD", "yyyy-D",
        "YYYY-'W'ww-u", "YYYY ww EEE", "YY w u", "yyyy w E", "yyyy-MM W EEE", "yyyy-MM F EEEE", "yyyy-MM W", "yyyy ww", "yyyy-MM F",
        "EEEE, MMMM d, yyyy HH:mm:ss z", "EEE MMM dd HH:mm:ss z yyyy", "EEE MMM dd HH:mm:ss zzzz yyyy", "E dd", "yyyy-MM-dd'T'HH:mm:ssX",
        "yyyy-MM-dd'T'HH:mm:ssXX", "yyyy-MM-dd HH:mm:ss zzz", "yyyy-MM-dd HH:mm:ss ZZZZ", "yyyy-MM-dd HH.mm.ss:SSS", "HH:mm:ss", "mm:ss SSS",
        "''yyyy''MM''dd", "yyyy 'o''clock' HH", "'year' yyyy", "yyyy.MM.dd G 'at' HH:mm:ss z", "hh 'o''clock' a, zzzz", "yyyyy", "yyy", "yy", "y",
        "M", "MM", "MMM", "MMMM", "d", "dd", "ddd", "DDD", "F", "FF", "E", "EEEE", "EEEEE", "u", "uu", "a", "aaaa", "H", "HH", "HHH", "k", "kk", "K", "KK", "h", "hh", "m",
        "mm", "s", "ss", "S", "SS", "SSS", "SSSS", "z", "zzzz", "Z", "X", "XX", "XXX", "w", "ww", "W", "WW", "YYYY", "YY", "Y", "G", "GGGG",
        "yyyy-MM-dd'T'HH:mm:ss.S", "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX", "yyyy-MM-dd'T'HH:mm:ss,SSS",
    };

    static String[] r(String... parts) {
        return parts;
    }

    /** Pattern, zone, then texts. */
    static final String[][] READINGS = {
        r("yyyy-MM-dd HH:mm:ss", "UTC",
            "2024-13-01 00:00:00", "2024-00-10 00:00:00", "2024-02-30 00:00:00", "2024-01-00 00:00:00", "2023-02-29 10:00:00", "2024-04-31 23:59:59",
            "2024-01-01 24:00:00", "2024-12-31 23:59:60", "2024-01-01 25:00:00", "2024-01-01 23:60:00", "2024-01-01 23:59:61",
            "2024-1-5 9:8:7", "24-01-05 09:08:07", "02024-01-05 09:08:07", "2024-001-05 09:08:07", "2024-01-05 09:08", "2024-01-05", "", " ", "2024",
            "2024-01-05 09:08:07 ", " 2024-01-05 09:08:07", "2024- 01- 05  09: 08: 07", "2024-01-05\t09:08:07", "2024-01-05  09:08:07",
            "2024-01-05T09:08:07", "2024/01/05 09:08:07", "2024-01-05 09:08:07 trailing", "2024-01-05 09:08:07.5", "2024-01-05 09:08:07.123456",
            "2024-01-05 09:08:07Z", "2024-01-05 09:08:07+02:00", "2024-01-05 09:08:07.250-0530", "2024-01-05 09:08:07 UTC", "2024-01-05 09:08:07 PM", "2024-01-05 09:08:7x",
            "null", "-", "2024-01--5 09:08:07", "2024--1-05 09:08:07", "-2024-01-05 09:08:07", "9999-12-31 23:59:59", "0000-00-00 00:00:00", "0000-01-01 00:00:00", "1582-10-15 00:00:00",
            "1582-10-10 00:00:00", "0001-01-01 00:00:00", "12024-01-05 09:08:07", "99999999999-01-05 09:08:07", "2024-01-05 09:08:99999999999", "\u0662024-01-05 09:08:07", "2024-01-05 0\u00e9:08:07"),
        r("yyyy-MM-dd HH:mm:ss", "America/New_York",
            "2024-03-10 01:59:59", "2024-03-10 02:00:00", "2024-03-10 02:30:00", "2024-03-10 02:59:59", "2024-03-10 03:00:00",
            "2024-11-03 00:59:59", "2024-11-03 01:00:00", "2024-11-03 01:30:00", "2024-11-03 01:59:59", "2024-11-03 02:00:00", "1883-11-18 12:02:00", "1942-07-01 12:00:00", "2100-07-01 00:00:00"),
        r("yyyy-MM-dd HH:mm:ss", "Europe/London",
            "2024-03-31 01:30:00", "2024-10-27 01:30:00", "2024-10-27 00:59:59", "2024-10-27 02:00:00", "1970-06-01 00:00:00", "1971-10-31 02:30:00"),
        r("yyyy-MM-dd HH:mm:ss", "America/Sao_Paulo", "2018-11-04 00:30:00", "2018-02-17 23:30:00", "2018-11-04 01:00:00"),
        r("yyyy-MM-dd HH:mm:ss", "Australia/Lord_Howe", "2024-10-06 02:15:00", "2024-04-07 01:45:00"),
        r("yyyy-MM-dd HH:mm:ss", "Pacific/Apia", "2011-12-29 12:00:00", "2011-12-31 00:00:00"),
        r("yyyy-MM-dd HH:mm:ss", "PST", "2024-07-01 00:00:00", "2024-01-01 00:00:00", "2024-03-10 02:30:00", "2024-11-03 01:30:00"),
        r("yyyy-MM-dd HH:mm:ss", "EST", "2024-07-01 00:00:00", "2024-01-01 00:00:00", "2024-03-10 02:30:00"),
        r("yyyy-MM-dd HH:mm:ss", "MST", "2024-07-01 00:00:00"),
        r("yyyy-MM-dd HH:mm:ss", "CST", "2024-07-01 00:00:00"),
        r("yyyy-MM-dd", "UTC", "2024-01-05T10:11:12Z", "2024-01-05 10:11:12", "2024-01-05Z", "2024-01-05+02:00", "20240105", "2024-1-5", "2024-01-", "Jan 5, 2024"),
        r("yyyyMMdd", "UTC", "20240105", "2024015", "202401051011", "2024 105", "2024-1-5", "20241301"),
        r("yyyyMMddHHmmssSSS", "UTC", "20240105091011123", "2024010509101112", "20240105091011123456", "2024010509101"),
        r("yyyyMMddHHmmss", "UTC", "20240105091011", "2024010509101"),
        r("yyyy-MM-dd'T'HH:mm:ss'Z'", "UTC", "2024-01-05T09:08:07Z", "2024-01-05T09:08:07", "2024-01-05T09:08:07z", "2024-01-05T09:08:07.123Z", "2024-01-05T09:08:07+00:00", "2024-01-05T09:08:07Zz"),
        r("yyyy-MM-dd'T'HH:mm:ss'Z'", "America/New_York", "2024-01-05T09:08:07Z"),
        r("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", "UTC", "2024-01-05T09:08:07.1Z", "2024-01-05T09:08:07.12Z", "2024-01-05T09:08:07.123Z", "2024-01-05T09:08:07.1234567Z", "2024-01-05T09:08:07Z", "2024-01-05T09:08:07.Z", "2024-01-05T09:08:07.-1Z", "2024-01-05T09:08:07. 1Z"),
        r("yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX", "UTC", "2024-01-05T09:08:07.451000+00:00", "2024-01-05T09:08:07.000001+00:00", "2024-01-05T09:08:07.451+00:00", "2024-01-05T09:08:07.123456789Z"),
        r("yyyy-MM-dd'T'HH:mm:ss.SSS", "UTC", "2024-01-05T09:08:07.000000000", "2024-01-05T09:08:07.123456789", "2024-01-05T09:08:07.120", "2024-01-05T09:08:07.120+01:00"),
        r("yyyy-MM-dd'T'HH:mm:ssXXX", "UTC", "2024-01-05T09:08:07Z", "2024-01-05T09:08:07+05:30", "2024-01-05T09:08:07-08:00", "2024-01-05T09:08:07+0530", "2024-01-05T09:08:07+05", "2024-01-05T09:08:07+5:30", "2024-01-05T09:08:07z", "2024-01-05T09:08:07", "2024-01-05T09:08:07+24:00", "2024-01-05T09:08:07+05:60", "2024-01-05T09:08:07 +05:30", "2024-01-05T09:08:07.500+05:30", "2024-01-05T09:08:07UTC", "2024-01-05T09:08:07+05:", "2024-01-05T09:08:07+0", "2024-01-05T09:08:07-00:00", "2024-01-05T24:00:00+01:00"),
        r("yyyy-MM-dd'T'HH:mm:ssXX", "UTC", "2024-01-05T09:08:07Z", "2024-01-05T09:08:07+0530", "2024-01-05T09:08:07+05:30", "2024-01-05T09:08:07+05"),
        r("yyyy-MM-dd'T'HH:mm:ssX", "UTC", "2024-01-05T09:08:07Z", "2024-01-05T09:08:07+05", "2024-01-05T09:08:07+0530", "2024-01-05T09:08:07+05:30", "2024-01-05T09:08:07-8"),
        r("yyyy-MM-dd'T'HH:mm:ssZ", "UTC", "2024-01-05T09:08:07Z", "2024-01-05T09:08:07+0530", "2024-01-05T09:08:07+05:30", "2024-01-05T09:08:07-0800", "2024-01-05T09:08:07GMT", "2024-01-05T09:08:07GMT+05:30", "2024-01-05T09:08:07PST", "2024-01-05T09:08:07+05"),
        r("yyyy-MM-dd HH:mm z", "UTC", "2024-01-05 09:08 PST", "2024-07-05 09:08 PDT", "2024-07-05 09:08 PST", "2024-01-05 09:08 PDT", "2024-01-05 09:08 EST", "2024-01-05 09:08 EDT", "2024-01-05 09:08 CST", "2024-01-05 09:08 MDT", "2024-01-05 09:08 GMT", "2024-01-05 09:08 gmt", "2024-01-05 09:08 UTC", "2024-01-05 09:08 utc", "2024-01-05 09:08 GMT+5:30", "2024-01-05 09:08 GMT+05:30", "2024-01-05 09:08 GMT-08", "2024-01-05 09:08 +0530", "2024-01-05 09:08 CET", "2024-01-05 09:08 CEST", "2024-01-05 09:08 JST", "2024-01-05 09:08 XYZ", "2024-01-05 09:08 Pacific Standard Time", "2024-01-05 09:08 Eastern Daylight Time", "2024-01-05 09:08 Coordinated Universal Time", "2024-01-05 09:08 Greenwich Mean Time", "2024-01-05 09:08 ", "2024-01-05 09:08"),
        r("yyyy-MM-dd HH:mm z", "Asia/Kolkata", "2024-01-05 09:08 IST", "2024-01-05 09:08 India Standard Time"),
        r("yyyy-MM-dd HH:mm z", "Europe/London", "2024-07-05 09:08 BST", "2024-07-05 09:08 GMT"),
        r("EEE, dd MMM yyyy HH:mm:ss Z", "UTC", "Fri, 05 Jan 2024 09:08:07 +0000", "Mon, 05 Jan 2024 09:08:07 +0000", "Friday, 05 January 2024 09:08:07 +0100", "fri, 05 JAN 2024 09:08:07 -0500", "Fri 05 Jan 2024 09:08:07 +0000", "Fri, 5 Jan 2024 09:08:07 +0000", "Xxx, 05 Jan 2024 09:08:07 +0000", "Fri, 05 Foo 2024 09:08:07 +0000", "Fri, 05 01 2024 09:08:07 +0000", "Fri, 05 Janu 2024 09:08:07 +0000"),
        r("dd-MMM-yy", "UTC", "05-Jan-24", "05-Jan-68", "05-Jan-69", "05-Jan-99", "05-Jan-00", "05-Jan-2024", "05-Jan-4", "05-Jan-024", "05-jan-24", "05-Sept-24", "05-May-24", "05-Jun-24"),
        r("MM/dd/yyyy hh:mm:ss a", "UTC", "01/05/2024 09:08:07 AM", "01/05/2024 09:08:07 PM", "01/05/2024 12:08:07 AM", "01/05/2024 12:08:07 PM", "01/05/2024 09:08:07 pm", "01/05/2024 9:08:07 Am", "01/05/2024 15:08:07 PM", "01/05/2024 00:08:07 PM", "01/05/2024 09:08:07", "01/05/2024 09:08:07PM", "25/12/2024 09:08:07 AM", "01/05/2024 09:08:07 A.M."),
        r("yyyy-MM-dd hh:mm:ss", "UTC", "2024-01-05 09:08:07", "2024-01-05 15:08:07", "2024-01-05 12:08:07", "2024-01-05 00:08:07"),
        r("yyyy-MM-dd KK:mm a", "UTC", "2024-01-05 00:08 PM", "2024-01-05 11:08 PM", "2024-01-05 12:08 PM", "2024-01-05 13:08 AM"),
        r("yyyy-MM-dd kk:mm", "UTC", "2024-01-05 24:08", "2024-01-05 00:08", "2024-01-05 01:08", "2024-01-05 25:08"),
        r("yyyy-DDD", "UTC", "2024-001", "2024-366", "2023-366", "2024-60", "2024-000", "2024-400"),
        r("YYYY-'W'ww-u", "UTC", "2024-W01-1", "2024-W01-7", "2024-W53-1", "2020-W53-5", "2024-W00-1", "2024-W10-8"),
        r("yyyy w E", "UTC", "2024 1 Sun", "2024 1 Mon", "2024 53 Tue", "2023 1 Sun"),
        r("yyyy-MM W EEE", "UTC", "2024-01 1 Mon", "2024-01 0 Mon", "2024-01 5 Wed", "2024-09 1 Sun", "2024-09 6 Mon"),
        r("yyyy-MM F EEEE", "UTC", "2024-01 1 Monday", "2024-01 2 Tuesday", "2024-01 5 Wednesday", "2024-02 -1 Monday"),
        r("yyyy-MM-dd EEE", "UTC", "2024-01-05 Fri", "2024-01-05 Mon"),
        r("yyyy G", "UTC", "2024 AD", "2024 ad", "2024 CE", "1 AD"),
        r("yyyy-MM-dd'T'HH:mm:ss.SSSZ", "UTC", "2024-01-05T09:08:07.006+0000", "2024-01-05T09:08:07.006Z", "2024-01-05T09:08:07+0000"),
        r("yyyy-MM-dd HH:mm:ss:SSS", "UTC", "2024-01-05 09:08:07:5", "2024-01-05 09:08:07:005", "2024-01-05 09:08:07:1500"),
        r("MM/dd/yyyy HH:mm:ss", "UTC", "1/5/2024 9:8:7", "13/25/2024 00:00:00", "25/12/2024 10:00:00", "01/05/24 10:00:00"),
        r("HH:mm:ss", "UTC", "09:08:07", "24:00:00"),
        r("d MMMM yyyy", "UTC", "5 January 2024", "5 Jan 2024", "5 MAY 2024", "5 Mai 2024"),
    };

    static final String[] NAMES = {
        "GMT", "UTC", "EST", "MST", "HST", "PST", "CST", "EST5EDT", "CST6CDT", "MST7MDT", "PST8PDT", "IST", "JST", "CET", "MET", "ECT", "BST", "AST", "ACT", "AET",
        "AGT", "ART", "BET", "CAT", "CNT", "CTT", "EAT", "IET", "MIT", "NET", "NST", "PLT", "PNT", "PRT", "SST", "VST", "GMT-06:00", "GMT+5:30", "GMT+0530", "GMT-6", "Etc/GMT+6", "America/New_York", "Asia/Kolkata", "Europe/London", "Asia/Calcutta", "US/Pacific",
    };

    public static void main(String[] arguments) {
        for (String pattern : FORMATS) {
            for (String zone : ZONES) for (String instant : INSTANTS) print(pattern, zone, instant);
        }
        for (String pattern : OTHERS) {
            for (String instant : INSTANTS) print(pattern, "UTC", instant);
            print(pattern, "America/New_York", "2024-07-04T03:02:01.234Z");
            print(pattern, "Asia/Kolkata", "2024-12-29T20:00:00.050Z");
        }
        String[] edges = {
            "2024-03-10T06:59:59Z", "2024-03-10T07:00:00Z", "2024-11-03T05:30:00Z", "2024-11-03T06:30:00Z", "1969-12-31T23:59:59.999Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z",
            "1900-02-28T23:59:59Z", "2000-02-29T00:00:00Z", "1582-10-15T00:00:00Z", "-0043-03-15T00:00:00Z", "+10000-01-01T00:00:00Z", "2020-12-27T12:00:00Z", "2022-01-01T12:00:00Z",
        };
        for (String instant : edges) {
            print("yyyy-MM-dd'T'HH:mm:ssXXX", "America/New_York", instant);
            print("yyyy-MM-dd HH:mm:ss.SSS G", "UTC", instant);
            print("YYYY 'W'ww E W F D", "UTC", instant);
        }
        for (String[] reading : READINGS) {
            for (int i = 2; i < reading.length; i++) read(reading[0], reading[1], reading[i]);
        }
        for (String name : NAMES) {
            for (String instant : new String[] {"2024-01-15T00:00:00Z", "2024-07-15T00:00:00Z"}) {
                long millis = Instant.parse(instant).toEpochMilli();
                rows.add(String.join("\t", "zone", name, Long.toString(millis), Integer.toString(TimeZone.getTimeZone(name).getOffset(millis) / 1000)));
            }
        }
        rows.forEach(System.out::println);
    }

    static void print(String pattern, String zone, String instant) {
        long millis = Instant.parse(instant).toEpochMilli();
        String text = format(pattern, zone, true).format(new Date(millis));
        rows.add(String.join("\t", "print", pattern, zone, Long.toString(millis), text));
        read(pattern, zone, text);
    }

    static void read(String pattern, String zone, String text) {
        String strict = parse(format(pattern, zone, false), text);
        String lenient = parse(format(pattern, zone, true), text);
        rows.add(String.join("\t", "read", pattern, zone, text.replace("\t", "\\t"), strict, lenient));
    }

    static String parse(SimpleDateFormat format, String text) {
        Date date = format.parse(text, new ParsePosition(0));
        return date == null ? "ERROR" : Long.toString(date.getTime());
    }

    static SimpleDateFormat format(String pattern, String zone, boolean lenient) {
        SimpleDateFormat format = new SimpleDateFormat(pattern, Locale.US);
        format.setTimeZone(TimeZone.getTimeZone(zone));
        Calendar start = new GregorianCalendar(TimeZone.getTimeZone(zone), Locale.US);
        start.clear();
        start.set(CENTURY_START, Calendar.JANUARY, 1);
        format.set2DigitYearStart(start.getTime());
        format.setLenient(lenient);
        return format;
    }
}

-- Notes the request id of every answer of 200 that came whole, a line each, and counts the other statuses.
local threads = {}

function setup(thread)
    thread:set("number", #threads + 1)
    table.insert(threads, thread)
end

function init(arguments)
    others = 0
    answered = assert(io.open(arguments[1] .. "/answered-" .. number, "w"))
    answered:setvbuf("line")
end

-- The value of a field, whose name may be written in any case.
local function field(headers, name)
    for written, value in pairs(headers) do
        if written:lower() == name then return value end
    end
end

function response(status, headers)
    if status == 200 then
        answered:write(field(headers, "x-request-id"), "\n")
    else
        others = others + 1
    end
end

function done(summary)
    local others = 0
    for _, thread in ipairs(threads) do
        others = others + thread:get("others")
    end
    local errors = summary.errors
    print(("OTHERS %d CUT %d"):format(others, errors.connect + errors.read + errors.write + errors.timeout))
end

-- What pandoc's Typst writer does not know about our documents; read with templates/pandoc.typ.

local function enclosed(opening, blocks)
  local all = pandoc.Blocks({ pandoc.RawBlock("typst", opening .. "[") })
  all:extend(blocks)
  all:insert(pandoc.RawBlock("typst", "]"))
  return all
end

-- \begin{answer} becomes the function answer() of the Typst template, a minipage (a figure with its caption) drawn().
local function Div(div)
  if div.classes:includes("answer") then
    return enclosed("#answer", div.content)
  elseif div.classes:includes("answers") then
    return enclosed("#answers", div.content)
  elseif div.classes:includes("fine") then
    return enclosed("#fine", div.content)
  elseif div.classes:includes("minipage") then
    return enclosed("#drawn", div.content)
  elseif div.classes:includes("center") then
    return enclosed("#align(center)", div.content)
  end
end

-- Arrows that pandoc's reader shortens.
local arrows = {
  Longleftrightarrow = "⟺", iff = "⟺", Longrightarrow = "⟹", implies = "⟹", Longleftarrow = "⟸",
  longrightarrow = "⟶", longleftarrow = "⟵", longmapsto = "⟼",
}

-- A formula that is wider than its column may break between its factors, where tex.py says so: each piece is a formula of its
-- own. Typst has no penalties, so it is before a bracket, a function or a fraction alone, not between a number and its symbol.
local function pieces(text)
  local found, depth, start, at = {}, 0, 1, 1
  while at <= #text do
    local sign = text:sub(at, at)
    local follows = text:match("^\\allowbreak%s*([^+]*)", at)
    if follows and depth == 0 and (follows:find("^[%(\\]") and not follows:find("^\\mathrm") or follows:find("^[^,]*/")) then
      found[#found + 1] = text:sub(start, at - 1)
      at = at + #"\\allowbreak"
      start = at
    else
      if sign:find("[%(%[{]") or text:find("^\\l[cf]", at) then
        depth = depth + 1
      elseif sign:find("[%)%]}]") or text:find("^\\r[cf]", at) then
        depth = depth - 1
      end
      at = at + 1
    end
  end
  found[#found + 1] = text:sub(start)
  return found
end

-- A word in \mathrm is set as a word, with its kerning, not as a product of upright letters; the remark after && stands
-- off from its formula, as amsmath has it; align*, unlike aligned, may run over pages.
local function Math(math)
  local text = math.text:gsub("\\mathrm%{(%a%a+)%}", "\\text{%1}"):gsub("&&", "&&\\quad "):gsub("\\qquad ([+-])", "\\qquad \\text{} %1")
  local long = text:find("\\begin{align", 1, true) and not text:find("\\begin{aligned", 1, true)
  text = text:gsub("\\(%a+)", function(name) return arrows[name] and arrows[name] .. " " end)
  local parts = pieces(text)
  if #parts > 1 then
    local broken = pandoc.Inlines({})
    for i, part in ipairs(parts) do
      broken:extend(i > 1 and { pandoc.RawInline("typst", "#sym.zws;") } or {})
      broken:insert(pandoc.Math("InlineMath", part))
    end
    return broken
  end
  math.text = text
  if long then
    return { pandoc.RawInline("typst", "#breakable["), math, pandoc.RawInline("typst", "]") }
  elseif text:find("^\\approx") then -- a line may end after a relation, but not between this sign and its number
    return { pandoc.RawInline("typst", "#box["), math, pandoc.RawInline("typst", "]") }
  end
  return math
end

-- A drawing has the words of its description for who cannot see it.
local signs = { amp = "&", lt = "<", gt = ">", quot = '"', ["#x27"] = "'" }

local function Image(image)
  local file = io.open(image.src, "r")
  local said = file and file:read("a"):match("<desc>(.-)</desc>") or ""
  if file then
    file:close()
  end
  said = said:gsub("&(#?%w+);", signs):gsub('[\\"]', "\\%0")
  return pandoc.RawInline("typst", '#box(image("' .. image.src:gsub('[\\"]', "\\%0") .. '", alt: "' .. said .. '"))')
end

-- A sentence and the one formula that it leads to stay together.
local function Para(para)
  local formulas = 0
  for _, inline in ipairs(para.content) do
    if inline.t == "RawInline" and inline.text == "#breakable[" then
      return nil
    elseif inline.t == "Math" and inline.mathtype == "DisplayMath" then
      formulas = formulas + 1
    end
  end
  if formulas == 1 then
    return enclosed("#together", { para })
  end
end

-- pandoc's LaTeX reader forgets the widths of p columns, so they are read here, table by table in their order. TeX's are
-- those of the text; Typst's have the gaps at both sides in them, which are a quad of 10 pt together, of a line of 162 mm.
local widths, belows = {}, {}
local gaps = 10 / (162 * 72 / 25.4)

local function columns_of(spec)
  local columns, at = {}, 1
  while at <= #spec do
    local ornament, argument = spec:match("^@%b{}", at), spec:match("^p(%b{})", at)
    if argument then
      columns[#columns + 1] = tonumber(argument:match("^{([%d.]+)\\%a+}$")) or false
    elseif not ornament and spec:match("^[lcr]", at) then
      columns[#columns + 1] = false
    end
    at = at + (ornament and #ornament or argument and #argument + 1 or 1)
  end
  return columns
end

local function read_widths()
  local file = assert(io.open(PANDOC_STATE.input_files[1], "r"))
  local text = file:read("a")
  file:close()
  for name, spec, at in text:gmatch("\\begin{(%a+)}%s*(%b{})()") do
    if name == "longtable" or name == "tabular" then
      widths[#widths + 1] = columns_of(spec:sub(2, -2))
      local body = text:sub(at, text:find("\\end{" .. name .. "}", at, true))
      belows[#widths] = body:match("\\multicolumn{%d+}{p{([%d.]+)\\%a+}}") or false
    end
  end
end

local function set_widths(tbl)
  local columns = table.remove(widths, 1)
  if columns and #columns == #tbl.colspecs then
    for i, share in ipairs(columns) do
      if share then
        tbl.colspecs[i] = { tbl.colspecs[i][1], share + gaps }
      end
    end
  end
end

local function rule(row, edge)
  for _, cell in ipairs(row.cells) do
    cell.attr.attributes["typst:stroke"] = "(" .. edge .. ": 0.55pt)"
  end
end

-- A row that says something below the one before it: nothing in its first cell, and then one cell over several columns.
local function under(row)
  local first, second = row.cells[1], row.cells[2]
  return second and second.col_span > 1 and #first.contents == 0
end

-- A row alone is not left on a page, at the end of a table or at its beginning, nor one without what stands below it: Typst keeps rows
-- together that one cell spans, so there is a last column without width, whose cells span those rows.
local function spanning(rows)
  return pandoc.Cell({}, "AlignDefault", rows, 1, { ["typst:inset"] = "0pt", ["typst:breakable"] = "false" })
end

-- It is as wide as TeX's, so that it makes no column wider.
local function set_under(row, share)
  row.cells[2].attr.attributes["typst:text:size"] = "0.9em"
  if share then
    row.cells[2].contents = enclosed("#below(" .. share .. ")", row.cells[2].contents)
  end
end

local function keep_together(tbl, share)
  local groups = pandoc.List({})
  for _, body in ipairs(tbl.bodies) do
    for _, row in ipairs(body.body) do
      if under(row) then
        groups[#groups]:insert(row)
        set_under(row, share)
      else
        groups:insert(pandoc.List({ row }))
      end
    end
  end
  if #groups < 2 then
    return
  end
  local last = table.remove(groups)
  groups[#groups]:extend(last)
  if #groups > 1 then
    local first = table.remove(groups, 1)
    groups[1] = first .. groups[1]
  end
  for _, rows in ipairs(groups) do
    rows[1].cells:insert(spanning(#rows))
  end
  for _, row in ipairs(tbl.head.rows) do
    row.cells:insert(spanning(1))
  end
  tbl.colspecs:insert({ "AlignDefault", nil })
end

-- Rules of a table: one under the head (and under its copy on the next page), one above a row of totals, which is a row
-- whose first cell is bold: pandoc's LaTeX reader forgets a \midrule there.
local function Table(tbl)
  set_widths(tbl)
  for _, row in ipairs(tbl.head.rows) do
    rule(row, "bottom")
  end
  for _, body in ipairs(tbl.bodies) do
    for _, row in ipairs(body.body) do
      local first = row.cells[1]
      local block = first and first.contents[1]
      if block and block.content and block.content[1] and block.content[1].t == "Strong" then
        rule(row, "top")
      end
    end
  end
  keep_together(tbl, table.remove(belows, 1))
  return tbl
end

-- Two of these signs are not one of typesetting where they are those of an option or of a file.
local function Str(str)
  if str.text:find("%-%-") or str.text:find(",,") then
    return { pandoc.RawInline("typst", "#text(ligatures: false)["), str, pandoc.RawInline("typst", "]") }
  end
end

read_widths()
return { { Str = Str, Div = Div, Image = Image, Math = Math, Para = Para, Table = Table } }

package tokenizer

import "sync"

// accented holds what canonical decomposition makes of characters, less the marks that do not space (Unicode 14, UAX 15): after
// a 0 a character, then what it and those after it become. More than one character is told by their number before them.
const accented = "" +
	"0ÀAAAAAA0ÇCEEEEIIII0ÑNOOOOO0ÙUUUUY0àaaaaaa0çceeeeiiii0ñnooooo0ùuuuuy0ÿyAaAaAaCcCcCcCcDd0ĒEeEeEeEeEeG" +
	"gGgGgGgHh0ĨIiIiIiIiI0ĴJjKk0ĹLlLlLl0ŃNnNnNn0ŌOoOoOo0ŔRrRrRrSsSsSsSsTtTt0ŨUuUuUuUuUuUuWwYyYZzZzZz0ƠOo0" +
	"ƯUu0ǍAaIiOoUuUuUuUuUu0ǞAaAaÆæ0ǦGgKkOoOoƷʒj0ǴGg0ǸNnAaÆæØøAaAaEeEeIiIiOoOoRrRrUuUuSsTt0ȞHh0ȦAaEeOoOoOo" +
	"OoYy0ʹʹ0;;0΅¨Α·ΕΗΙ0ΌΟ0ΎΥΩι0ΪΙΥαεηιυ0ϊιυουω0ϓϒϒ0ЀЕЕ0ЃГ0ЇІ0ЌКИУ0ЙИ0йи0ѐее0ѓг0їі0ќкиу0ѶѴѵ0ӁЖж0ӐАаАа0ӖЕе" +
	"0ӚӘәЖжЗз0ӢИиИиОо0ӪӨөЭэУуУуУуЧч0ӸЫы0\u0622\u0627\u0627\u0648\u0627\u064A0\u06C0\u06D50\u06C2\u06C10\u06D3" +
	"\u06D20ऩन0ऱर0ऴळ0क़कखगजडढफय0\u09CB2\u09C7\u09BE2\u09C7\u09D70ড়ডঢ0য়য0ਲ਼ਲ0ਸ਼ਸ0ਖ਼ਖਗਜ0ਫ਼ਫ0\u0B48\u0B470\u0B4B2" +
	"\u0B47\u0B3E2\u0B47\u0B570ଡ଼ଡଢ0ஔ2ஒ\u0BD70\u0BCA2\u0BC6\u0BBE2\u0BC7\u0BBE2\u0BC6\u0BD70\u0CC0\u0CD50\u0CC7" +
	"\u0CD5\u0CD60\u0CCA\u0CC22\u0CC2\u0CD50\u0D4A2\u0D46\u0D3E2\u0D47\u0D3E2\u0D46\u0D570\u0DDA\u0DD90\u0DDC" +
	"2\u0DD9\u0DCF2\u0DD9\u0DCF2\u0DD9\u0DDF0གྷག0ཌྷཌ0དྷད0བྷབ0ཛྷཛ0ཀྵཀ0ဦဥ0ᬆ2ᬅ\u1B350ᬈ2ᬇ\u1B350ᬊ2ᬉ\u1B350ᬌ2ᬋ\u1B35" +
	"0ᬎ2ᬍ\u1B350ᬒ2ᬑ\u1B350\u1B3B\u1B350\u1B3D\u1B350\u1B402\u1B3E\u1B352\u1B3F\u1B350\u1B43\u1B350ḀAaBbBb" +
	"BbCcDdDdDdDdDdEeEeEeEeEeFfGgHhHhHhHhHhIiIiKkKkKkLlLlLlLlMmMmMmNnNnNnNnOoOoOoOoPpPpRrRrRrRrSsSsSsSsSs" +
	"TtTtTtTtUuUuUuUuUuVvVvWwWwWwWwWwXxXxYyZzZzZzhtwy0ẛſ0ẠAaAaAaAaAaAaAaAaAaAaAaAaEeEeEeEeEeEeEeEeIiIiOoO" +
	"oOoOoOoOoOoOoOoOoOoOoUuUuUuUuUuUuUuYyYyYyYy0ἀααααααααΑΑΑΑΑΑΑΑεεεεεε0ἘΕΕΕΕΕΕ0ἠηηηηηηηηΗΗΗΗΗΗΗΗιιιιιιι" +
	"ιΙΙΙΙΙΙΙΙοοοοοο0ὈΟΟΟΟΟΟ0ὐυυυυυυυυ0ὙΥ0ὛΥ0ὝΥ0ὟΥωωωωωωωωΩΩΩΩΩΩΩΩααεεηηιιοουυωω0ᾀααααααααΑΑΑΑΑΑΑΑηηηηηηη" +
	"ηΗΗΗΗΗΗΗΗωωωωωωωωΩΩΩΩΩΩΩΩααααα0ᾶααΑΑΑΑΑ0ιι0῁¨ηηη0ῆηηΕΕΗΗΗ᾿᾿᾿ιιιι0ῖιιΙΙΙΙ0῝῾῾῾υυυυρρυυΥΥΥΥΡ¨¨\u00600ῲ" +
	"ωωω0ῶωωΟΟΩΩΩ´0   0ΩΩ0KKA0↚←→0↮↔0⇍⇐⇔⇒0∄∃0∉∈0∌∋0∤∣0∦∥0≁∼0≄≃0≇≅0≉≈0≠=0≢≡0≭≍<>≤≥0≴≲≳0≸≶≷0⊀≺≻0⊄⊂⊃0⊈⊆⊇0⊬⊢⊨" +
	"⊩⊫0⋠≼≽⊑⊒0⋪⊲⊳⊴⊵0〈〈〉0⫝̸⫝0がか0ぎき0ぐく0げけ0ごこ0ざさ0じし0ずす0ぜせ0ぞそ0だた0ぢち0づつ0でて0どと0ばはは0びひひ0ぶふふ0べへへ0ぼほほ0ゔう0ゞゝ0ガカ0ギキ0グ" +
	"ク0ゲケ0ゴコ0ザサ0ジシ0ズス0ゼセ0ゾソ0ダタ0ヂチ0ヅツ0デテ0ドト0バハハ0ビヒヒ0ブフフ0ベヘヘ0ボホホ0ヴウ0ヷワヰヱヲ0ヾヽ0豈豈更車賈滑串句龜龜契金喇奈懶癩羅蘿螺裸邏樂洛烙珞落酪駱亂卵" +
	"欄爛蘭鸞嵐濫藍襤拉臘蠟廊朗浪狼郎來冷勞擄櫓爐盧老蘆虜路露魯鷺碌祿綠菉錄鹿論壟弄籠聾牢磊賂雷壘屢樓淚漏累縷陋勒肋凜凌稜綾菱陵讀拏樂諾丹寧怒率異北磻便復不泌數索參塞省葉說殺辰沈拾若掠略亮兩凉梁糧良諒量勵呂" +
	"女廬旅濾礪閭驪麗黎力曆歷轢年憐戀撚漣煉璉秊練聯輦蓮連鍊列劣咽烈裂說廉念捻殮簾獵令囹寧嶺怜玲瑩羚聆鈴零靈領例禮醴隸惡了僚寮尿料樂燎療蓼遼龍暈阮劉杻柳流溜琉留硫紐類六戮陸倫崙淪輪律慄栗率隆利吏履易李梨泥理" +
	"痢罹裏裡里離匿溺吝燐璘藺隣鱗麟林淋臨立笠粒狀炙識什茶刺切度拓糖宅洞暴輻行降見廓兀嗀0塚塚0晴晴0凞凞猪益礼神祥福靖精羽0蘒蘒0諸諸0逸逸都0飯飯飼館鶴郞隷侮僧免勉勤卑喝嘆器塀墨層屮悔慨憎懲敏既暑梅海渚" +
	"漢煮爫琢碑社祉祈祐祖祝禍禎穀突節練縉繁署者臭艹艹著褐視謁謹賓贈辶逸難響頻恵\U000242EE舘0並並况全侀充冀勇勺喝啕喙嗢塚墳奄奔婢嬨廒廙彩徭惘慎愈憎慠懲戴揄搜摒敖晴朗望杖歹殺流滛滋漢瀞煮瞧爵犯猪瑱" +
	"甆画瘝瘟益盛直睊着磌窱節类絛練缾者荒華蝹襁覆視調諸請謁諾諭謹變贈輸遲醙鉶陼難靖韛響頋頻鬒龜\U0002284A\U00022844\U000233D5㮝䀘䀹\U00025249\U00025CD0\U00027ED3" +
	"齃龎0\uFB1D\u05D90\uFB1F\u05F20\uFB2A\u05E9\u05E9\u05E9\u05E9\u05D0\u05D0\u05D0\u05D1\u05D2\u05D3\u05D4" +
	"\u05D5\u05D60\uFB38\u05D8\u05D9\u05DA\u05DB\u05DC0\uFB3E\u05DE0\uFB40\u05E0\u05E10\uFB43\u05E3\u05E4" +
	"0\uFB46\u05E6\u05E7\u05E8\u05E9\u05EA\u05D5\u05D1\u05DB\u05E40\U0001109A\U000110990\U0001109C\U0001109B" +
	"0\U000110AB\U000110A50\U0001134B2\U00011347\U0001133E2\U00011347\U000113570\U000114BB\U000114B92\U000114B9" +
	"\U000114B00\U000114BE2\U000114B9\U000114BD0\U000115BA2\U000115B8\U000115AF2\U000115B9\U000115AF0\U00011938" +
	"2\U00011935\U000119300\U0001D15E2\U0001D157\U0001D1652\U0001D158\U0001D1653\U0001D158\U0001D165\U0001D16E" +
	"3\U0001D158\U0001D165\U0001D16F3\U0001D158\U0001D165\U0001D1703\U0001D158\U0001D165\U0001D1713\U0001D158" +
	"\U0001D165\U0001D1720\U0001D1BB2\U0001D1B9\U0001D1652\U0001D1BA\U0001D1653\U0001D1B9\U0001D165\U0001D16E" +
	"3\U0001D1BA\U0001D165\U0001D16E3\U0001D1B9\U0001D165\U0001D16F3\U0001D1BA\U0001D165\U0001D16F0\U0002F800" +
	"丽丸乁\U00020122你侮侻倂偺備僧像㒞\U0002063A免兔兤具\U0002051C㒹內再\U0002054B冗冤仌冬况\U000291DF凵刃㓟刻剆割剷㔕勇勉勤勺包匆北卉卑博即卽卿卿卿\U00020A2C" +
	"灰及叟\U00020B63叫叱吆咞吸呈周咢哶唐啓啣善善喙喫喳嗂圖嘆圗噑噴切壮城埴堍型堲報墬\U000214E4売壷夆多夢奢\U000216A8\U000216EA姬娛娧姘婦㛮㛼嬈嬾嬾\U000219C8" +
	"寃寘寧寳\U00021B18寿将当尢㞁屠屮峀岍\U00021DE4嵃\U00021DE6嵮嵫嵼巡巢㠯巽帨帽幩㡢\U00022183㡼庰庳庶廊\U0002A392廾\U00022331\U00022331" +
	"舁弢弢㣇\U000232B8\U000261DA形彫㣣徚忍志忹悁㤺㤜悔\U000226D4惇慈慌慎慌慺憎憲憤憯懞懲懶成戛扝抱拔捐\U00022B0C挽拼捨掃揤\U00022BF1搢揅掩㨮摩摾撝摷㩬敏敬" +
	"\U0002300A旣書晉㬙暑㬈㫤冒冕最暜肭䏙朗望朡杞杓\U000233C3㭉柺枅桒梅\U0002346D梎栟椔㮝楂榣槪檨\U000236A3櫛㰘次\U000238A7歔㱎歲殟殺殻\U00023A8D" +
	"\U00021D0B\U00023AFA汎\U00023CBC沿泍汧洖派海流浩浸涅\U00023D1E洴港湮㴳滋滇\U00023ED1淹潮\U00023F5E\U00023F8E濆瀹瀞瀛㶖灊災灷炭\U00020525" +
	"煅\U00024263熜\U000243AB爨爵牐\U00024608犀犕\U00024735\U00024814獺王㺬玥㺸㺸瑇瑜瑱璅瓊㼛甤\U00024C36甾\U00024C92異\U0002219F" +
	"瘐\U00024FA1\U00024FB8\U00025044㿼䀈直\U000250F3\U000250F2\U00025119\U00025133眞真真睊䀹瞋䁆䂖\U0002541D硎碌磌䃣\U00025626" +
	"祖\U0002569A\U000256C5福秫䄯穀穊穏\U0002597C\U00025AA7\U00025AA7竮䈂\U00025BAB篆築䈧\U00025C80糒䊠糨糣紀\U00025F86絣䌁緇" +
	"縂繅䌴\U00026228\U00026247䍙\U000262D9罺\U0002633E羕翺者\U000264DA\U00026523聠\U000265A8聰\U0002335F䏕育脃䐋脾媵\U000267A7" +
	"\U000267B5\U00023393\U0002339C舁舄辞䑫芑芋芝劳花芳芽苦\U00026B3C若茝荣莭茣莽菧著荓菊菌菜\U00026C36\U00026D6B\U00026CD5䔫蓱蓳蔖\U000273CA" +
	"蕤\U00026F2C䕝䕡\U00026FB1\U000270D2䕫虐虜虧虩蚩蚈蜎蛢蝹蜨蝫螆䗗蟡蠁䗹衠衣\U00027667裗裞䘵裺㒻\U000278AE\U00027966䚾䛇誠諭變豕\U00027CA8" +
	"貫賁贛起\U00027F2F\U00020804跋趼跰\U000208DE軔輸\U000285D2\U000285ED邔郱鄑\U0002872E鄛鈸鋗鋘鉼鏹鐕\U00028BFA開䦕閷\U00028D77" +
	"䧦雃嶲霣\U00029145\U0002921A䩮䩶韠\U0002940A䪲\U00029496頋頋頩\U000295B6飢䬳餩馧駂駾䯎\U00029B30鬒鱀鳽䳎䳭鵧\U0002A0CE䳸\U0002A105" +
	"\U0002A20E\U0002A291麻䵖黹黾鼅鼏鼖鼻\U0002A600"

var plain = sync.OnceValue(func() map[rune]string {
	bases := map[rune]string{}
	var at rune
	start, many := false, 0
	text := []rune{}
	for _, r := range accented {
		switch {
		case r == '0':
			start = true
		case r == '2' || r == '3':
			many = int(r - '0')
		case start:
			at, start = r, false
		default:
			if text = append(text, r); len(text) < many {
				continue
			}
			bases[at] = string(text)
			at, many, text = at+1, 0, text[:0]
		}
	}
	return bases
})

// appendPlain appends a character without its accents: decomposed, and the marks left out.
func appendPlain(text []byte, r rune) []byte {
	const first, vowels, trails = 0xAC00, 21, 28 // Hangul syllables are composed by number
	if n := r - first; n >= 0 && n <= 0xD7A3-first {
		text = append(text, string([]rune{0x1100 + n/(vowels*trails), 0x1161 + n%(vowels*trails)/trails})...)
		if n%trails > 0 {
			text = append(text, string(0x11A7+n%trails)...)
		}
		return text
	}
	if base, ok := plain()[r]; ok {
		return append(text, base...)
	}
	return append(text, string(r)...)
}
